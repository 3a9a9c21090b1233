"""The use case: a shopper agrees, is captured live, and gets an account and a code."""

from facepay.enrolment.consent_text import ConsentText, load_consent
from facepay.enrolment.enrolment import Enrolled, Enrolment, EnrolmentParts, EnrolmentTerms
from facepay.enrolment.holder_code import code_png, code_svg
from facepay.enrolment.request import EnrolmentRequest

__all__ = [
    "ConsentText",
    "Enrolled",
    "Enrolment",
    "EnrolmentParts",
    "EnrolmentRequest",
    "EnrolmentTerms",
    "code_png",
    "code_svg",
    "load_consent",
]

"""A TPM 2.0 through tpm2-pytss: seals to platform registers, over sessions that encrypt what crosses the bus.

The storage key is made anew from the chip's seed at each call, so nothing has to be provisioned. Sessions
are salted with it and encrypt the sealed secret on its way in and out: whoever listens on the bus of a
discrete chip hears no key, though they may replace the chip itself (docs/templates-and-keys.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tpm2_pytss import (
    ESAPI,
    ESYS_TR,
    TPM2_ALG,
    TPM2_SE,
    TPM2B_DIGEST,
    TPM2B_PRIVATE,
    TPM2B_PUBLIC,
    TPM2B_SENSITIVE_CREATE,
    TPM2B_SENSITIVE_DATA,
    TPMA_OBJECT,
    TPMA_SESSION,
    TPML_PCR_SELECTION,
    TPMS_SENSITIVE_CREATE,
    TPMT_PUBLIC,
    TPMT_SYM_DEF,
    TSS2_Exception,
)
from tpm2_pytss.constants import TPM2_RC

from keys.errors import ProviderError, UnlockError
from keys.tpm2_slot import ChipBlob

DEFAULT_TCTI = "device:/dev/tpmrm0"
_CIPHER = "aes128cfb"
_LAYER, _MARSHALLING = 0xFF0000, 0x090000
"""What a blob that was cut or altered gives before it reaches the chip (TSS 2.0 overview, error codes)."""
_REFUSALS = frozenset(
    {TPM2_RC.POLICY_FAIL, TPM2_RC.INTEGRITY, TPM2_RC.VALUE, TPM2_RC.SIZE, TPM2_RC.AUTH_FAIL}
)


class Tpm2Chip:
    """Satisfies `Chip`; opens the chip for each call and lets go of it."""

    def __init__(self, tcti: str = DEFAULT_TCTI) -> None:
        self._tcti = tcti

    def __repr__(self) -> str:
        return f"Tpm2Chip({self._tcti!r})"

    def seal(self, secret: bytearray, pcrs: frozenset[int]) -> ChipBlob:
        """See `Chip.seal`."""
        with self._opened() as (chip, parent):
            public = TPM2B_PUBLIC(
                TPMT_PUBLIC.parse(
                    "keyedhash",
                    objectAttributes=TPMA_OBJECT.FIXEDTPM | TPMA_OBJECT.FIXEDPARENT,
                    authPolicy=_policy(chip, pcrs),
                )
            )
            sensitive = TPM2B_SENSITIVE_CREATE(
                TPMS_SENSITIVE_CREATE(data=TPM2B_SENSITIVE_DATA(bytes(secret)))
            )
            with _session(chip, parent, TPM2_SE.HMAC, TPMA_SESSION.DECRYPT) as session:
                private, made, *_ = chip.create(parent, sensitive, public, session1=session)
            return ChipBlob(made.marshal(), private.marshal())

    def unseal_into(self, blob: ChipBlob, pcrs: frozenset[int], out: bytearray) -> None:
        """See `Chip.unseal_into`."""
        with self._opened() as (chip, parent):
            public, _ = TPM2B_PUBLIC.unmarshal(blob.public)
            private, _ = TPM2B_PRIVATE.unmarshal(blob.private)
            kept = chip.load(parent, private, public)
            try:
                with _session(chip, parent, TPM2_SE.POLICY, TPMA_SESSION.ENCRYPT) as session:
                    chip.policy_pcr(session, TPM2B_DIGEST(), _selection(pcrs))
                    plain = bytes(chip.unseal(kept, session1=session))
            finally:
                chip.flush_context(kept)
            if len(plain) != len(out):
                raise UnlockError("the TPM gave out something that is no key of this store")
            out[:] = plain

    @contextmanager
    def _opened(self) -> Iterator[tuple[ESAPI, ESYS_TR]]:
        try:
            with ESAPI(self._tcti) as chip:
                parent = chip.create_primary(None, "ecc")[0]
                try:
                    yield chip, parent
                finally:
                    chip.flush_context(parent)
        except TSS2_Exception as error:
            if error.error in _REFUSALS or error.rc & _LAYER == _MARSHALLING:
                raise UnlockError(
                    "the TPM does not open the key store: it is another chip, or firmware or boot settings "
                    "have changed. Open it by another slot, then add a TPM2 slot again"
                ) from error
            raise ProviderError(f"the TPM at {self._tcti} failed: {error}") from error
        except (RuntimeError, OSError, ValueError, TypeError) as error:
            raise ProviderError(f"the TPM at {self._tcti} cannot be used: {error}") from error


def _selection(pcrs: frozenset[int]) -> TPML_PCR_SELECTION:
    return TPML_PCR_SELECTION.parse("sha256:" + ",".join(str(pcr) for pcr in sorted(pcrs)))


def _policy(chip: ESAPI, pcrs: frozenset[int]) -> TPM2B_DIGEST:
    with _session(chip, ESYS_TR.NONE, TPM2_SE.TRIAL, TPMA_SESSION(0)) as session:
        chip.policy_pcr(session, TPM2B_DIGEST(), _selection(pcrs))
        return chip.policy_get_digest(session)


@contextmanager
def _session(chip: ESAPI, salt: ESYS_TR, kind: TPM2_SE, encrypting: TPMA_SESSION) -> Iterator[ESYS_TR]:
    cipher = TPMT_SYM_DEF.parse(_CIPHER) if encrypting else TPMT_SYM_DEF(algorithm=TPM2_ALG.NULL)
    session = chip.start_auth_session(
        tpm_key=salt,
        bind=ESYS_TR.NONE,
        session_type=kind,
        symmetric=cipher,
        auth_hash=TPM2_ALG.SHA256,
    )
    try:
        if encrypting:
            chip.trsess_set_attributes(session, encrypting | TPMA_SESSION.CONTINUESESSION)
        yield session
    finally:
        chip.flush_context(session)

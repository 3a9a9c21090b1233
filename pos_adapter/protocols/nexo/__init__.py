"""nexo Sale-to-POI 3.0 as JSON over HTTPS, the wire of tills that speak a Terminal API.

`json_text`, `header`, `local_encryption`, `envelope`, `requests` and `answers` are pure; `outcomes` is the
table from an outcome to nexo's words; `wire` answers HTTP; `exchanges` remembers what runs and ran.
"""

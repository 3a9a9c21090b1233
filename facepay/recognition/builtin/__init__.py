"""The pack that comes with facepay: small networks trained by `training/`, with their cards and figures."""

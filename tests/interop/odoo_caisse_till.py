"""Run by the clients' interpreter: Odoo's Caisse-AP code as it is, with just enough of Odoo around it."""

import importlib.util
import json
import sys
import types


class _Env:
    def _(self, text, *args, **values):
        return text % (values or args) if values or args else text

    def __getitem__(self, name):
        currency = types.SimpleNamespace(
            name="EUR", decimal_places=2, compare_amounts=lambda a, b: (a > b) - (a < b)
        )
        return types.SimpleNamespace(browse=lambda identifier: currency)


class _Model:
    env = _Env()
    fr_caisse_ap_ip_mode = "card"

    def browse(self, identifier):
        return self

    def ensure_one(self):
        pass


def load(path):
    odoo = types.ModuleType("odoo")
    odoo.api = types.SimpleNamespace(model=lambda f: f, constrains=lambda *names: lambda f: f)
    field = lambda *args, **values: None  # noqa: E731
    odoo.fields = types.SimpleNamespace(Selection=field, Char=field, Integer=field)
    odoo.models = types.SimpleNamespace(Model=_Model)
    odoo.exceptions = types.ModuleType("odoo.exceptions")
    odoo.exceptions.ValidationError = ValueError
    sys.modules.update({"odoo": odoo, "odoo.exceptions": odoo.exceptions})
    spec = importlib.util.spec_from_file_location("pos_payment_method", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PosPaymentMethod


if __name__ == "__main__":
    path, port, amount, timeout_ms = sys.argv[1:]
    method = load(path)()
    method.fr_caisse_ap_ip_mode = "card"
    method.fr_caisse_ap_ip_address, method.fr_caisse_ap_ip_port = "127.0.0.1", int(port)
    data = {"amount": float(amount), "currency_id": 1, "payment_method_id": 1, "timeout": int(timeout_ms)}
    print(json.dumps(method.fr_caisse_ap_ip_send_payment(data)))

"""Run by the clients' interpreter: pays over a serial port with a client nobody here wrote, prints JSON."""

import json
import sys


def telium(port, amount, mode):
    from telium import Telium, TeliumAsk

    device = Telium(port, timeout=3)
    if mode == "probe":
        return {"there": device.is_ok()}
    ask = TeliumAsk.new_payment(
        amount,
        payment_mode=mode,
        target_currency="EUR",
        wait_for_transaction_to_end=True,
        collect_payment_source_info=True,
    )
    device.ask(ask)
    answer = device.verify(ask, waiting_timeout=10)
    device.close()
    if answer is None:
        return {"answer": None}
    return {
        "success": answer.has_succeeded,
        "amount": answer.amount,
        "report": answer.repport,
        "result": answer.transaction_result,
    }


def postelium(port, amount, mode):
    from pypostelium import Driver

    driver = Driver({"telium_terminal_device_name": port, "telium_terminal_retry_count": 1})
    info = {"amount": amount, "payment_mode": "card", "currency_iso": "EUR", "currency_decimals": 2}
    return {"sent": driver.transaction_start(json.dumps(info))}


if __name__ == "__main__":
    client, port, amount, mode = sys.argv[1:]
    print(json.dumps({"telium": telium, "postelium": postelium}[client](port, float(amount), mode)))

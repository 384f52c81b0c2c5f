#!/usr/bin/python3
"""Enrolls the user who runs it, as the page of a settings program would. Needs python3-dasbus.

usage: enroll.py [current code, if the user has a factor already]
"""
import getpass
import sys

from dasbus.connection import SystemMessageBus
from dasbus.typing import get_variant, get_native, Str
from gi.repository import Gio, GLib

BUS = SystemMessageBus()
USER = getpass.getuser()
TIMEOUT_MS = 330_000  # a person may have to type a password


def ask(method, signature, *arguments):
    """Calls a method of the Manager, and lets polkit ask for a password."""
    answer = BUS.connection.call_sync(
        "org.totpd.Totp1", "/org/totpd/Totp1", "org.totpd.Totp1.Manager", method,
        get_variant(signature, arguments), None,
        Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS, None)
    return get_native(answer)


def draw(dots, width):
    """Draws the QR code in half blocks; the light dots are drawn."""
    rows = [dots[start:start + width] for start in range(0, len(dots), width)]
    rows.append([1] * width)
    for upper, lower in zip(rows[::2], rows[1::2]):
        print("".join("█▀▄ "[2 * up + low] for up, low in zip(upper, lower)))


def main():
    options = {"name": get_variant(Str, "Settings")}
    if len(sys.argv) > 1:
        options["code"] = get_variant(Str, sys.argv[1])
    factor, _uri, details = ask("Enroll", "(sa{sv})", USER, options)
    draw(details["qr"], details["qr_width"])
    print("Scan this with the authenticator app, then type the code that it shows.")
    for line in sys.stdin:
        try:
            (codes,) = ask("Confirm", "(sss)", USER, factor, line.strip())
        except GLib.Error as error:  # InvalidCode says what may be wrong with the code.
            Gio.DBusError.strip_remote_error(error)
            print(error.message)
            continue
        print("Done. Recovery codes:", *codes, sep="\n  ")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())

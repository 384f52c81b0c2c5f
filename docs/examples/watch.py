#!/usr/bin/python3
"""Reports what happens to the second factor of the user who runs it, as a desktop would. Needs python3-dasbus."""
from dasbus.connection import SystemMessageBus
from dasbus.loop import EventLoop

MANAGER = SystemMessageBus().get_proxy(
    "org.totpd.Totp1", "/org/totpd/Totp1", "org.totpd.Totp1.Manager")


def on_change(user):
    print("changed:", user, flush=True)


def on_question(service, rhost):
    print("a code is asked for by", service, "for", rhost or "this machine", flush=True)


if __name__ == "__main__":
    MANAGER.FactorsChanged.connect(on_change)
    MANAGER.CodeRequested.connect(on_question)
    MANAGER.Subscribe()
    print("watching", flush=True)
    EventLoop().run()

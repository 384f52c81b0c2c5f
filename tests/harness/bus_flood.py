#!/usr/bin/python3
"""bus_flood.py KIND SECONDS USER: sends totpd over the system bus what an ordinary user may send, as fast as the
bus takes it, without waiting for an answer. USER is the one who is asked about: the caller itself, mostly.

KIND: silent (NO_REPLY_EXPECTED, on sixteen connections), descriptors-N (N with each message), large (32 MiB),
keys (two million different ones), half (messages that never end), unauthenticated (connections that say nothing);
burst (a hundred calls at once, whose answers are counted). A flood prints "KIND: ready" when its messages are made.
"""
import array
import itertools
import os
import socket
import struct
import sys
import time

BUS = "/run/dbus/system_bus_socket"
# Seconds that the bus may take to read on.
PATIENCE = 5
kind, seconds, user = sys.argv[1], float(sys.argv[2]), sys.argv[3]


def begin():
    """Says that all is prepared, and returns when the flood ends."""
    print(f"{kind}: ready", flush=True)
    return time.monotonic() + seconds


def string(text):
    text = text.encode()
    return struct.pack("<I", len(text)) + text + b"\0"


def aligned(data, to):
    return data + bytes(-len(data) % to)


def message(member, signature, body, interface="org.totpd.Totp1.Login", path="/org/totpd/Totp1",
            destination="org.totpd.Totp1", flags=1, descriptors=0, serial=7):
    fields = b""
    for code, kind_of, value in [(1, "o", path), (2, "s", interface), (3, "s", member), (6, "s", destination)]:
        fields = aligned(fields, 8) + struct.pack("<BB", code, 1) + kind_of.encode() + b"\0" + string(value)
    if signature:
        fields = aligned(fields, 8) + b"\x08\x01g\0" + struct.pack("<B", len(signature)) + signature.encode() + b"\0"
    if descriptors:
        fields = aligned(fields, 8) + b"\x09\x01u\0" + struct.pack("<I", descriptors)
    start = b"l" + struct.pack("<BBBII", 1, flags, 1, len(body), serial) + struct.pack("<I", len(fields))
    return aligned(start + fields, 8) + body


def connect():
    bus = socket.socket(socket.AF_UNIX)
    bus.connect(BUS)
    bus.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
    bus.recv(200)
    bus.sendall(b"NEGOTIATE_UNIX_FD\r\n")
    bus.recv(200)
    hello = message("Hello", "", b"", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", 0)
    bus.sendall(b"BEGIN\r\n" + hello)
    bus.recv(4096)
    bus.settimeout(PATIENCE)
    return bus


def drain(bus):
    bus.setblocking(False)
    try:
        while bus.recv(65536):
            pass
    except BlockingIOError:
        pass
    bus.settimeout(PATIENCE)


def flood(connections, send):
    """Sends on all connections in turn; one that the bus closes is opened again."""
    buses, sent, end = [None] * connections, 0, begin()
    while time.monotonic() < end:
        for number, bus in enumerate(buses):
            try:
                if bus is None:
                    buses[number] = bus = connect()
                send(bus)
                drain(bus)
                sent += 1
            except (OSError, TimeoutError):
                if bus is not None:
                    bus.close()
                buses[number] = None
    print(f"{kind}: {sent} times sent")


empty = struct.pack("<I", 0) + bytes(4)
verify = aligned(aligned(string(user), 4) + string("000000"), 4) + empty
if kind == "silent":
    many = message("Verify", "ssa{sv}", aligned(verify, 8)) * 50
    flood(16, lambda bus: bus.sendall(many))
elif kind.startswith("descriptors-"):
    count = int(kind.split("-")[1])
    null = [os.open("/dev/null", os.O_RDONLY)] * count
    one = message("Verify", "ssa{sv}", aligned(verify, 8), descriptors=count)
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", null))]
    flood(4, lambda bus: bus.sendmsg([one], control))
elif kind == "large":
    large = message("Begin", "sa{sv}", aligned(string("x" * (32 * 1024 * 1024 - 1024)), 8) + bytes(8))
    flood(2, lambda bus: bus.sendall(large))
elif kind == "keys":
    names = itertools.islice(itertools.product(range(33, 71), repeat=4), 1_990_000)
    entries = b"".join(struct.pack("<I4B8s", 4, *name, b"\0\1y") for name in names)
    body = aligned(string(user), 4)
    body = aligned(body + struct.pack("<I", len(entries)), 8) + entries
    keys = message("Begin", "sa{sv}", body)
    flood(1, lambda bus: bus.sendall(keys))
elif kind == "half":
    whole = message("Begin", "sa{sv}", bytes(30 * 1024 * 1024))
    half = whole[: len(whole) // 2]

    begun = {}

    def send_half(bus):
        if bus not in begun:
            bus.sendall(half)
            begun[bus] = time.monotonic()
        elif time.monotonic() - begun[bus] > 1:
            # Then another one is begun.
            del begun[bus]
            raise TimeoutError
        else:
            time.sleep(0.001)

    flood(16, send_half)
elif kind == "burst":
    bus, answers = connect(), b""
    calls = [message("Verify", "ssa{sv}", aligned(verify, 8), flags=0, serial=10 + n) for n in range(100)]
    bus.sendall(b"".join(calls))
    try:
        while answers.count(b"LimitsExceeded\0") + answers.count(b"denied\0") + answers.count(b"throttled\0") < 100:
            answers += bus.recv(65536)
    except TimeoutError:
        pass
    looked_at = answers.count(b"denied\0") + answers.count(b"throttled\0")
    print(f"looked at: {looked_at}, refused: {answers.count(b'LimitsExceeded' + bytes(1))}")
elif kind == "unauthenticated":
    kept, end = [], begin()
    while time.monotonic() < end:
        bus = socket.socket(socket.AF_UNIX)
        bus.setblocking(False)
        try:
            bus.connect(BUS)
            kept.append(bus)
        except OSError:
            # Its queue is full.
            time.sleep(0.05)
        if len(kept) > 200:
            time.sleep(0.05)
            kept.pop().close()
    print(f"{kind}: {len(kept)} kept")
else:
    sys.exit(f"no such kind: {kind}")

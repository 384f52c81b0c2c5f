"""nscd, as it is while a directory is down: there is no such group. It answers for nothing else."""

import os
import socket
import struct

GETGRBYNAME, GETGRBYGID, INITGROUPS = 2, 3, 15
VERSION = 2

os.makedirs("/var/run/nscd", exist_ok=True)
listener = socket.socket(socket.AF_UNIX)
listener.bind("/var/run/nscd/socket")
listener.listen()
while True:
    client, _ = listener.accept()
    # One client hangs up, and another one is to be served.
    try:
        _, request, length = struct.unpack("=iii", client.recv(12, socket.MSG_WAITALL))
        client.recv(length, socket.MSG_WAITALL)
        if request in (GETGRBYNAME, GETGRBYGID, INITGROUPS):
            # "Not found", and no numbers.
            client.sendall(struct.pack("=ii", VERSION, 0) + bytes(16))
    except (OSError, struct.error):
        pass
    client.close()

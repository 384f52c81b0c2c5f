#!/usr/bin/python3
"""clients.py LIBRARY PASSWORD CODE: logs in with a library as alice, and says who got in."""
import sys

library, password, code = sys.argv[1:]


def answer(prompt):
    print(prompt)
    return code if "code" in prompt else password


if library == "paramiko":
    import socket

    import paramiko

    transport = paramiko.Transport(socket.create_connection(("127.0.0.1", 22)))
    transport.start_client()
    transport.auth_interactive(
        "alice", lambda title, text, prompts: [answer(prompt) for prompt, echo in prompts]
    )
    channel = transport.open_session()
    channel.exec_command("echo in as $(id -un)")
    print(channel.makefile().read().decode())
elif library == "paramiko-password":
    import paramiko

    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect("127.0.0.1", username="alice", password=password, allow_agent=False, look_for_keys=False)
    print(client.exec_command("echo in as $(id -un)")[1].read().decode())
elif library == "asyncssh":
    import asyncio

    import asyncssh

    class Person(asyncssh.SSHClient):
        def kbdint_auth_requested(self):
            return ""

        def kbdint_challenge_received(self, name, instructions, lang, prompts):
            return [answer(prompt) for prompt, echo in prompts]

    async def main():
        async with asyncssh.connect(
            "127.0.0.1", username="alice", known_hosts=None, client_factory=Person, agent_path=None
        ) as connection:
            print((await connection.run("echo in as $(id -un)")).stdout)

    asyncio.run(main())

#!/usr/bin/env python3
"""samples.py: writes the samples of the formats that are read into fuzz/seeds, and prints the table of tests/oathtool.rs.

Each is made from the documented layout of its format, with ciphers of another library (cryptography). The seeds are made
up. Published samples stand in the tests of the readers."""

import base64
import hashlib
import hmac
import json
import struct
import urllib.parse
from pathlib import Path

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEEDS = Path(__file__).resolve().parents[3] / "fuzz" / "seeds"
PASSPHRASE = "correct horse"
FERNET_KEY = bytes(range(32))
SHARED_KEY = bytes(range(100, 116))
rows = []


def seed(number, length=20):
    return hashlib.sha512(b"sample %d" % number).digest()[:length]


def b32(key):
    return base64.b32encode(key).decode().rstrip("=")


def write(folder, name, content):
    path = SEEDS / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def expect(format, name, *tokens):
    """Each token: kind ("hotp" or the period), hash, digits, last used step or counter, seed."""
    rows.extend((format, name, *token[:4], token[4].hex()) for token in tokens)


def cbc(key, iv, text):
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return iv + encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()


def google_authenticator():
    text = f'{b32(seed(1, 16))}\n" RATE_LIMIT 3 30 1764200000\n" WINDOW_SIZE 17\n" DISALLOW_REUSE 58806666 58806667\n'
    text += '" TIME_SKEW -2\n" TOTP_AUTH\n93240982\n77665544\n'
    write("google_authenticator", "totp", text)
    expect("google-authenticator", "google_authenticator/totp", ("30", "SHA1", 6, 58806667, seed(1, 16)))
    write("google_authenticator", "hotp", f'{b32(seed(2, 10))}\n" HOTP_COUNTER 42\n" WINDOW_SIZE 17\n12345678\n')
    expect("google-authenticator", "google_authenticator/hotp", ("hotp", "SHA1", 6, 41, seed(2, 10)))


def code(key, counter, digits):
    tag = hmac.new(key, struct.pack(">Q", counter), "sha1").digest()
    start = tag[-1] & 15
    return f"{(struct.unpack('>I', tag[start:start + 4])[0] & 0x7fffffff) % 10 ** digits:0{digits}}"


def oath():
    # 2026-11-27T23:30:10Z, written one hour ahead.
    step = 1795822210 // 30
    lines = [
        "# type user password seed counter code time",
        f"HOTP alice - {seed(3).hex()}",
        f"HOTP/E/8\tbob\t+\t{seed(4, 32).hex()}\t7\t{code(seed(4, 32), 7, 8)}\t2026-11-28T00:30:10L",
        f"HOTP/T30/6 carol secret {seed(5).hex()} 3 {code(seed(5), step, 6)} 2026-11-28T00:30:10L",
        f"HOTP/T60/7 dave - {seed(6).hex()}",
        "MOTP eve 1234 00112233445566778899",
    ]
    write("oath", "usersfile", "\n".join(lines) + "\n")
    expect("oath", "oath/usersfile", ("hotp", "SHA1", 6, None, seed(3)), ("hotp", "SHA1", 8, 7, seed(4, 32)),
           ("30", "SHA1", 6, step, seed(5)), ("60", "SHA1", 7, None, seed(6)))


def otpauth():
    lines = [
        f"otpauth://totp/ACME%20Co:john@example.com?secret={b32(seed(7))}&issuer=ACME%20Co&algorithm=SHA512&digits=8&period=60",
        f"otpauth://hotp/alice?secret={b32(seed(8)).lower()}&counter=9",
        f"otpauth://steam/Steam:gordon?secret={b32(seed(8))}",
    ]
    write("otpauth", "links", "\r\n".join(lines) + "\r\n")
    expect("otpauth", "otpauth/links", ("60", "SHA512", 8, None, seed(7)), ("hotp", "SHA1", 6, 8, seed(8)))


def varint(value):
    value &= 2**64 - 1
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def otpauth_migration():
    def account(key, name, *numbers):
        message = field(1, key) + field(2, name) + field(3, b"Corp")
        return field(1, message + b"".join(field(number, value) for number, value in zip((4, 5, 6, 7), numbers)))

    def link(accounts, index):
        payload = accounts + field(2, 1) + field(3, 2) + field(4, index) + field(5, -77)
        return "otpauth-migration://offline?data=" + urllib.parse.quote(base64.b64encode(payload), safe="")

    first = account(seed(9), b"Corp:alice", 1, 1, 2) + account(seed(10, 32), b"bob", 2, 2, 2)
    second = account(seed(11), b"carol", 1, 1, 1, 5) + account(seed(11), b"dave", 4, 1, 2)
    write("otpauth_migration", "links", link(first, 0) + "\n" + link(second, 1) + "\n")
    expect("otpauth-migration", "otpauth_migration/links", ("30", "SHA1", 6, None, seed(9)),
           ("30", "SHA256", 8, None, seed(10, 32)), ("hotp", "SHA1", 6, 5, seed(11)))


def pskc():
    namespace = "urn:ietf:params:xml:ns:keyprov:pskc"
    method = '<xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>'

    def value(content):
        text = base64.b64encode(content).decode()
        return f"{method}<xenc:CipherData><xenc:CipherValue>{text}</xenc:CipherValue></xenc:CipherData>"

    def package(kind, digits, secret, data, suite="HMAC-SHA1"):
        return (f'<KeyPackage><DeviceInfo><SerialNo>S1</SerialNo></DeviceInfo><Key Id="1" Algorithm="{namespace}:{kind}">'
                f'<Issuer>Acme</Issuer><AlgorithmParameters><Suite>{suite}</Suite><ResponseFormat Length="{digits}" '
                f'Encoding="DECIMAL"/></AlgorithmParameters><Data><Secret>{secret}</Secret>{data}</Data>'
                "<UserId>alice</UserId></Key></KeyPackage>")

    def plain(name, number):
        return f"<{name}><PlainValue>{number}</PlainValue></{name}>"

    def container(head, packages):
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<KeyContainer Version="1.0" xmlns="{namespace}" '
                f'xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">{head}{packages}</KeyContainer>\n')

    def protected(key, number):
        mac_key = hashlib.sha1(b"mac").digest()
        ciphertext = cbc(key, bytes(range(16)), seed(number))
        tag = base64.b64encode(hmac.new(mac_key, ciphertext, "sha1").digest()).decode()
        secret = f"<EncryptedValue>{value(ciphertext)}</EncryptedValue><ValueMAC>{tag}</ValueMAC>"
        mac = f"<MACKey>{value(cbc(key, bytes(range(16, 32)), mac_key))}</MACKey>"
        mac = f'<MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1">{mac}</MACMethod>'
        return mac, package("hotp", 8, secret, plain("Counter", 11))

    secret = f"<PlainValue>{base64.b64encode(seed(12, 32)).decode()}</PlainValue>"
    times = plain("Time", 29930370) + plain("TimeInterval", 60) + plain("TimeDrift", -4)
    write("pskc", "plain", container("", package("totp", 8, secret, times, "HMAC-SHA256")))
    expect("pskc", "pskc/plain", ("60", "SHA256", 8, 29930370, seed(12, 32)))
    mac, packages = protected(SHARED_KEY, 13)
    write("pskc", "shared-key", container("<EncryptionKey/>" + mac, packages))
    expect("pskc", "pskc/shared-key", ("hotp", "SHA1", 8, 10, seed(13)))
    key = hashlib.pbkdf2_hmac("sha1", PASSPHRASE.encode(), b"saltsalt", 10, 16)
    derived = ('<EncryptionKey><DerivedKey><KeyDerivationMethod Algorithm="http://www.rsasecurity.com/rsalabs/pkcs/schemas/'
               'pkcs-5v2-0#pbkdf2"><PBKDF2-params><Salt><Specified>c2FsdHNhbHQ=</Specified></Salt><IterationCount>10'
               "</IterationCount><KeyLength>16</KeyLength></PBKDF2-params></KeyDerivationMethod></DerivedKey></EncryptionKey>")
    mac, packages = protected(key, 14)
    write("pskc", "passphrase", container(derived + mac, packages))
    expect("pskc", "pskc/passphrase", ("hotp", "SHA1", 8, 10, seed(14)))


def csv():
    text = "upn,serial number,secret key,time interval,manufacturer,model\r\n"
    text += f'alice@example.com,T1,{b32(seed(15))},60,Acme,"M, 1"\r\nbob,T2,{b32(seed(16))},30,Acme,M\r\n'
    write("csv", "named", text)
    expect("csv", "csv/named", ("60", "SHA1", 6, None, seed(15)), ("30", "SHA1", 6, None, seed(16)))
    text = f"T1;{seed(17).hex()};totp;8;60\nT2;{seed(18, 32).hex()};SHA256;30\nT3;{seed(19).hex()};hotp;6\n"
    write("csv", "unnamed", text)
    expect("csv", "csv/unnamed", ("60", "SHA1", 8, None, seed(17)), ("30", "SHA256", 6, None, seed(18, 32)),
           ("hotp", "SHA1", 6, None, seed(19)))


def aegis():
    def entry(kind, key, algorithm, digits, **more):
        info = {"secret": b32(key), "algo": algorithm, "digits": digits, **more}
        return {"type": kind, "uuid": "x", "name": "Bob", "issuer": "Corp", "icon": None, "info": info}

    entries = [entry("totp", seed(20), "SHA1", 6, period=30), entry("totp", seed(21, 64), "SHA512", 8, period=60),
               entry("hotp", seed(22), "SHA256", 7, counter=3), entry("steam", seed(22), "SHA1", 5, period=30)]
    content = {"version": 3, "entries": entries, "groups": []}
    tokens = (("30", "SHA1", 6, None, seed(20)), ("60", "SHA512", 8, None, seed(21, 64)), ("hotp", "SHA256", 7, 3, seed(22)))
    write("aegis", "plain", json.dumps({"version": 1, "header": {"slots": None, "params": None}, "db": content}))
    expect("aegis", "aegis/plain", *tokens)
    salt, master = bytes(32), bytes(range(32))
    key = hashlib.scrypt(PASSPHRASE.encode(), salt=salt, n=16, r=8, p=1, dklen=32)

    def seal(key, text):
        nonce = bytes(range(12))
        sealed = AESGCM(key).encrypt(nonce, text, None)
        return sealed[:-16], {"nonce": nonce.hex(), "tag": sealed[-16:].hex()}

    wrapped, key_params = seal(key, master)
    slot = {"type": 1, "uuid": "x", "key": wrapped.hex(), "key_params": key_params, "n": 16, "r": 8, "p": 1, "salt": salt.hex()}
    db, params = seal(master, json.dumps(content).encode())
    vault = {"version": 1, "header": {"slots": [slot], "params": params}, "db": base64.b64encode(db).decode()}
    write("aegis", "encrypted", json.dumps(vault))
    expect("aegis", "aegis/encrypted", *tokens)


def privacyidea():
    info = {"hashlib": "sha256", "timeStep": "60", "timeShift": "-61.5"}
    tokens = [
        {"serial": "TOTP1", "type": "totp", "otpkey": seed(23, 32).hex(), "otplen": 8, "count": 29930370,
         "user": {"login": "alice"}, "info_list": info},
        {"serial": "OATH2", "type": "hotp", "otpkey": seed(24).hex(), "otplen": 6, "count": 42, "info_list": {"hashlib": "sha1"}},
        {"serial": "PW3", "type": "pw", "otpkey": "topsecret"},
    ]
    expected = (("60", "SHA256", 8, 29930370, seed(23, 32)), ("hotp", "SHA1", 6, 41, seed(24)))
    write("privacyidea", "json", json.dumps(tokens, indent=2))
    expect("privacyidea", "privacyidea/json", *expected)
    signed = b"\x80" + struct.pack(">Q", 1795822210) + cbc(FERNET_KEY[16:], bytes(range(16)), json.dumps(tokens).encode())
    message = signed + hmac.new(FERNET_KEY[:16], signed, "sha256").digest()
    write("privacyidea", "fernet", base64.urlsafe_b64encode(message))
    expect("privacyidea", "privacyidea/fernet", *expected)
    lines = []
    for token in tokens[:2]:
        lines += [f"- count: {token['count']}", "  description: 'a: ''b''", "    c'", "  info_list:"]
        lines += [f"    {name}: '{value}'" for name, value in sorted(token["info_list"].items())]
        lines += [f"  otpkey: '{token['otpkey']}'", f"  otplen: {token['otplen']}", "  owner: alice@realm", "  realms:"]
        lines += ["  - realm", f"  serial: {token['serial']}", f"  type: {token['type']}"]
    write("privacyidea", "yaml", "\n".join(lines) + "\n")
    expect("privacyidea", "privacyidea/yaml", *expected)
    write("privacyidea", "list", f"alice@realm, T1, {b32(seed(25))}, totp, 6, 60\nn/a, T2, {b32(seed(26))}, totp, 8, None")
    expect("privacyidea", "privacyidea/list", ("60", "SHA1", 6, None, seed(25)), ("30", "SHA1", 8, None, seed(26)))


def freeipa():
    def record(number, kind, key, *lines):
        head = [f"dn: ipatokenuniqueid={number},cn=otp,dc=example,dc=com", "objectClass: ipatoken", f"objectClass: ipatoken{kind}"]
        text = base64.b64encode(key).decode()
        return "\n".join(head + [f"ipatokenUniqueID: {number}", f"ipatokenOTPkey:: {text[:20]}", f" {text[20:]}", *lines]) + "\n"

    text = record(1, "TOTP", seed(27, 35), "ipatokenOTPalgorithm: sha512", "ipatokenOTPdigits: 8", "ipatokenTOTPtimeStep: 60",
                  "ipatokenTOTPclockOffset: -61", "ipatokenTOTPwatermark: 29930371", "ipatokenNotAfter: 20361127233000Z",
                  "ipatokenOwner: uid=alice,cn=users,dc=example")
    text += "\n" + record(2, "HOTP", seed(28), "ipatokenHOTPcounter: 42")
    write("freeipa", "ldif", text)
    expect("freeipa", "freeipa/ldif", ("60", "SHA512", 8, 29930370, seed(27, 35)), ("hotp", "SHA1", 6, 41, seed(28)))


for make in (google_authenticator, oath, otpauth, otpauth_migration, pskc, csv, aegis, privacyidea, freeipa):
    make()
for format, name, kind, algorithm, digits, last, key in rows:
    last = "None" if last is None else f"Some({last})"
    print(f'    ("{format}", "{name}", "{kind}", "{algorithm}", {digits}, {last}, "{key}"),')

"""Seals and opens ESP packets with Scapy, one request per line, for the test that holds them against ours.

Request:  VERB key=value ...   with VERB one of
          seal  crypt ckey auth akey icv spi seq iv next payload    answer: the ESP packet
          open  crypt ckey auth akey icv spi seq packet             answer: next header and payload
Answer:   "ok HEX ..." or "error TEXT". Bytes are in hex, an empty value is "-", seq has 8 digits or, extended, 16.
The first line, before any request, lists the algorithms known: "ready CRYPT ... / AUTH ...".

What this Scapy does not know itself is added the way its own algorithms are made: the short ICVs of AES-GCM and
AES-GMAC over the cryptography package, and the high half of an extended sequence number in a MAC (RFC 4303 2.2.1).
"""
import struct
import sys
import warnings

warnings.filterwarnings("ignore")

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from scapy.all import IP, Raw, raw
from scapy.layers import ipsec
from scapy.layers.ipsec import AUTH_ALGOS, CRYPT_ALGOS, ESP, AuthAlgo, CryptAlgo
from scapy.layers.ipsec import IPSecIntegrityError, SecurityAssociation

PROTOCOL = 253


def aad(esp, esn_en, esn):
    return struct.pack("!LLL", esp.spi, esn, esp.seq) if esn_en else struct.pack("!LL", esp.spi, esp.seq)


class ShortGcm(CryptAlgo):
    """AES-GCM whose tag is cut to fewer than 16 bytes."""

    def encrypt(self, sa, esp, key, icv_size=None, esn_en=False, esn=0):
        encryptor = Cipher(algorithms.AES(key), modes.GCM(sa.crypt_salt + esp.iv)).encryptor()
        encryptor.authenticate_additional_data(aad(esp, esn_en, esn))
        text = encryptor.update(esp.data_for_encryption()) + encryptor.finalize()
        return ESP(spi=esp.spi, seq=esp.seq, data=esp.iv + text + encryptor.tag[:icv_size])

    def decrypt(self, sa, esp, key, icv_size=None, esn_en=False, esn=0):
        iv, text, icv = esp.data[:8], esp.data[8:-icv_size], esp.data[-icv_size:]
        decryptor = Cipher(algorithms.AES(key), modes.GCM(sa.crypt_salt + iv, icv, min_tag_length=icv_size)).decryptor()
        decryptor.authenticate_additional_data(aad(esp, esn_en, esn))
        return plain(esp, iv, decryptor.update(text) + decryptor.finalize())


class Gmac(CryptAlgo):
    """RFC 4543: all is associated data, the IV too."""

    def encrypt(self, sa, esp, key, icv_size=None, esn_en=False, esn=0):
        body = esp.iv + esp.data_for_encryption()
        tag = AESGCM(key).encrypt(sa.crypt_salt + esp.iv, b"", aad(esp, esn_en, esn) + body)
        return ESP(spi=esp.spi, seq=esp.seq, data=body + tag)

    def decrypt(self, sa, esp, key, icv_size=None, esn_en=False, esn=0):
        iv, body, icv = esp.data[:8], esp.data[:-16], esp.data[-16:]
        AESGCM(key).decrypt(sa.crypt_salt + iv, icv, aad(esp, esn_en, esn) + body)
        return plain(esp, iv, body[8:])


def plain(esp, iv, text):
    padlen, nh = text[-2], text[-1]
    return ipsec._ESPPlain(spi=esp.spi, seq=esp.seq, iv=iv, data=text[: len(text) - padlen - 2], padlen=padlen, nh=nh)


class ExtendedAuth(AuthAlgo):
    """Authenticates the high half of the sequence number after the packet."""

    def __init__(self, base, high):
        super().__init__(base.name, base.mac, base.digestmod, base.icv_size, base.key_size)
        self.high = struct.pack("!L", high)

    def sign(self, pkt, key, **ignored):
        mac = self.new_mac(key)
        mac.update(raw(pkt) + self.high)
        pkt.data += mac.finalize()[: self.icv_size]
        return pkt

    def verify(self, pkt, key, **ignored):
        mac = self.new_mac(key)
        mac.update(raw(pkt)[: -self.icv_size] + self.high)
        if mac.finalize()[: self.icv_size] != raw(pkt)[-self.icv_size:]:
            raise IPSecIntegrityError("mismatch")


CRYPT_ALGOS["AES-GCM-SHORT"] = ShortGcm(
    "AES-GCM-SHORT", cipher=algorithms.AES, mode=modes.GCM, salt_size=4, block_size=1, iv_size=8, icv_size=8)
CRYPT_ALGOS["AES-GMAC"] = Gmac("AES-GMAC", cipher=algorithms.AES, mode=modes.GCM, salt_size=4, block_size=1, iv_size=8,
        icv_size=16)


def bits(text):
    return b"" if text == "-" else bytes.fromhex(text)


def association(request):
    extended = len(request["seq"]) == 16
    high = int(request["seq"][:-8] or "0", 16)
    aead = request["auth"] == "AEAD"
    sa = SecurityAssociation(
        ESP,
        spi=int(request["spi"], 16),
        crypt_algo=request["crypt"],
        crypt_key=bits(request["ckey"]),
        crypt_icv_size=int(request["icv"]) if aead else None,
        auth_algo=None if aead else request["auth"],
        auth_key=bits(request["akey"]),
        esn_en=extended,
        esn=high,
    )
    if extended and not aead and sa.auth_algo.mac:
        sa.auth_algo = ExtendedAuth(sa.auth_algo, high)
    return sa


def seal(request):
    packet = IP(src="192.0.2.1", dst="192.0.2.2", proto=int(request["next"])) / Raw(bits(request["payload"]))
    sealed = association(request).encrypt(packet, seq_num=int(request["seq"][-8:], 16), iv=bits(request["iv"]))
    return raw(sealed[ESP]).hex()


def open_(request):
    packet = IP(src="192.0.2.1", dst="192.0.2.2", proto=50) / ESP(bits(request["packet"]))
    opened = association(request).decrypt(packet)
    return "%d %s" % (opened.proto, raw(opened.payload).hex())


def main():
    print("ready", *CRYPT_ALGOS, "/", *AUTH_ALGOS, flush=True)
    for line in sys.stdin:
        verb, *fields = line.split()
        request = dict(field.split("=") for field in fields)
        try:
            print("ok", seal(request) if verb == "seal" else open_(request), flush=True)
        except (IPSecIntegrityError, InvalidTag, ValueError, TypeError) as error:
            print("error", type(error).__name__, str(error).replace("\n", " "), flush=True)


main()

package org.xfrmbridge.daemon.packets;

import java.util.HexFormat;
import org.xfrmbridge.esp.AlgorithmEntry;
import org.xfrmbridge.esp.AlgorithmKind;
import org.xfrmbridge.esp.AlgorithmTable;
import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * SAs as Wireshark's table {@code esp_sa} has them, by which it opens ESP itself: the only place of this program that
 * shows keys. Names of algorithms are those of Wireshark 4.0 (epan/dissectors/packet-ipsec.c lists them); one that it
 * does not know makes it refuse the whole table, so such an SA is a comment.
 */
final class WiresharkKeys {
    private static final String NO_AUTH = "\"NULL\",\"\"";

    private WiresharkKeys() {}

    /** One line, without its newline; null for what is not ESP. */
    static String line(State state) {
        StateSpec spec = state.spec();
        if (spec.id().protocol() != IpProtocol.ESP) {
            return null;
        }
        String spi = "0x%08x".formatted(spec.id().spi());
        String algorithms = spec.aead() != null ? aead(spec.aead()) : pair(spec.cipher(), spec.auth());
        if (algorithms == null) {
            return "# " + spi + ": Wireshark 4.0 has no name for its algorithms";
        }
        return "\"%s\",\"%s\",\"%s\",\"%s\",%s"
                .formatted(
                        spec.family() == AddressFamily.INET ? "IPv4" : "IPv6",
                        spec.saddr().toText(spec.family()),
                        spec.id().daddr().toText(spec.family()),
                        spi,
                        algorithms);
    }

    private static String aead(Algorithm aead) {
        String name = AlgorithmTable.aead(aead.name(), aead.icvBits())
                .map(AlgorithmEntry::name)
                .orElse("");
        return name.equals("rfc4106(gcm(aes))")
                ? "\"AES-GCM with %d octet ICV [RFC4106]\",%s,%s".formatted(aead.icvBits() / 8, hex(aead), NO_AUTH)
                : null;
    }

    private static String pair(Algorithm cipher, Algorithm auth) {
        String cipherName = cipher == null ? null : cipher(name(AlgorithmKind.CIPHER, cipher));
        String authName = auth == null ? "NULL" : auth(name(AlgorithmKind.AUTH, auth), auth.icvBits());
        return cipherName == null || authName == null
                ? null
                : "\"%s\",%s,\"%s\",%s".formatted(cipherName, hex(cipher), authName, auth == null ? "\"\"" : hex(auth));
    }

    private static String name(AlgorithmKind kind, Algorithm algorithm) {
        return AlgorithmTable.find(kind, algorithm.name())
                .map(AlgorithmEntry::name)
                .orElse("");
    }

    private static String cipher(String name) {
        return switch (name) {
            case "cbc(aes)" -> "AES-CBC [RFC3602]";
            case "rfc3686(ctr(aes))" -> "AES-CTR [RFC3686]";
            case "cbc(des3_ede)" -> "TripleDES-CBC [RFC2451]";
            case "ecb(cipher_null)" -> "NULL";
            default -> null;
        };
    }

    private static String auth(String name, int icvBits) {
        return switch (name + "-" + icvBits) {
            case "hmac(md5)-96" -> "HMAC-MD5-96 [RFC2403]";
            case "hmac(sha1)-96" -> "HMAC-SHA-1-96 [RFC2404]";
            case "hmac(sha256)-128" -> "HMAC-SHA-256-128 [RFC4868]";
            case "hmac(sha384)-192" -> "HMAC-SHA-384-192 [RFC4868]";
            case "hmac(sha512)-256" -> "HMAC-SHA-512-256 [RFC4868]";
            default -> null;
        };
    }

    private static String hex(Algorithm algorithm) {
        byte[] key = algorithm.key();
        return key.length == 0 ? "\"\"" : "\"0x" + HexFormat.of().formatHex(key) + '"';
    }
}

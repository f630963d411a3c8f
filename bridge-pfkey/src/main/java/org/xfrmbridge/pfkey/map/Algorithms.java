package org.xfrmbridge.pfkey.map;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.xfrmbridge.esp.AlgorithmEntry;
import org.xfrmbridge.esp.AlgorithmKind;
import org.xfrmbridge.esp.AlgorithmTable;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.pfkey.msg.SadbKey;
import org.xfrmbridge.pfkey.msg.SadbProp;
import org.xfrmbridge.pfkey.msg.SadbProp.SadbComb;
import org.xfrmbridge.pfkey.msg.SadbProp.Times;
import org.xfrmbridge.pfkey.msg.SadbSupported;
import org.xfrmbridge.pfkey.msg.SadbSupported.SadbAlg;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Template;

/**
 * Algorithms by PF_KEY's numbers. Those of {@link AlgorithmKind#AEAD} have numbers, too, but Linux takes and shows none
 * of them.
 */
public final class Algorithms {
    private static final int PROPOSED_WINDOW = 32;
    private static final int HOUR_SECONDS = 3600;
    private static final Times PROPOSED_TIMES =
            new Times(20 * HOUR_SECONDS, 24 * HOUR_SECONDS, 7 * HOUR_SECONDS, 8 * HOUR_SECONDS);

    private Algorithms() {}

    /**
     * With the ICV length that a State gets which names none.
     *
     * @param keyBody a {@link SadbKey}, null for none
     * @throws XfrmException ENOSYS if this host has none of that number
     */
    static Algorithm of(AlgorithmKind kind, int number, ByteBuffer keyBody) throws XfrmException {
        AlgorithmEntry entry =
                AlgorithmTable.byPfKeyId(kind, number).orElseThrow(() -> new XfrmException(Errno.ENOSYS));
        if (keyBody == null) {
            return new Algorithm(entry.name(), 0, 0, new byte[0]);
        }
        SadbKey key = SadbKey.read(keyBody);
        return new Algorithm(entry.name(), key.bits(), 0, key.key());
    }

    /** 0 if it is null, or has no number. */
    static int number(AlgorithmKind kind, Algorithm algorithm) {
        return algorithm == null
                ? 0
                : numbered(kind)
                        .filter(entry -> entry.matches(algorithm.name()))
                        .findFirst()
                        .map(Algorithms::number)
                        .orElse(0);
    }

    /** What an answer to REGISTER lists of AUTH or CIPHER. */
    public static SadbSupported supported(AlgorithmKind kind) {
        return new SadbSupported(numbered(kind)
                .filter(AlgorithmEntry::available)
                .map(AlgorithmEntry::pfKey)
                .map(alg -> new SadbAlg(alg.algId(), alg.ivLen(), alg.minBits(), alg.maxBits()))
                .toList());
    }

    /**
     * What an ACQUIRE proposes: the algorithms that the masks of the template name; null for a protocol that has no
     * proposals.
     */
    public static SadbProp proposal(Template template) {
        List<AlgorithmEntry> auths = numbered(AlgorithmKind.AUTH)
                .filter(entry -> entry.available() && isNamed(template.authMask(), entry))
                .toList();
        return switch (template.id().protocol()) {
            case IpProtocol.AH -> proposal(auths.stream().map(auth -> comb(auth, null)));
            case IpProtocol.ESP ->
                proposal(numbered(AlgorithmKind.CIPHER)
                        .filter(entry -> entry.available() && isNamed(template.cipherMask(), entry))
                        .flatMap(cipher -> withSecret(auths).map(auth -> comb(auth, cipher))));
            default -> null;
        };
    }

    /** ESP is proposed with any but the first, which is none. */
    private static Stream<AlgorithmEntry> withSecret(List<AlgorithmEntry> auths) {
        return auths.stream().filter(auth -> auth.pfKey().maxBits() != 0);
    }

    private static SadbProp proposal(Stream<SadbComb> combs) {
        return new SadbProp(PROPOSED_WINDOW, combs.toList());
    }

    private static SadbComb comb(AlgorithmEntry auth, AlgorithmEntry cipher) {
        AlgorithmEntry.PfKey of = auth.pfKey();
        AlgorithmEntry.PfKey with = cipher == null ? new AlgorithmEntry.PfKey(0, 0, 0, 0) : cipher.pfKey();
        return new SadbComb(
                of.algId(), with.algId(), of.minBits(), of.maxBits(), with.minBits(), with.maxBits(), PROPOSED_TIMES);
    }

    private static boolean isNamed(int mask, AlgorithmEntry entry) {
        return number(entry) < Integer.SIZE && (mask & 1 << number(entry)) != 0;
    }

    private static int number(AlgorithmEntry entry) {
        return entry.pfKey().algId();
    }

    private static Stream<AlgorithmEntry> numbered(AlgorithmKind kind) {
        return AlgorithmTable.entries().stream().filter(entry -> entry.kind() == kind && entry.pfKeySupported());
    }
}

package org.xfrmbridge.it.conformance;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.xfrmbridge.pfkey.msg.SadbXPolicy;
import org.xfrmbridge.pfkey.sadb.SadbExt;
import org.xfrmbridge.pfkey.sadb.SadbType;
import org.xfrmbridge.pfkey.sadb.Satype;
import org.xfrmbridge.xfrm.AddressFamily;

/** One PF_KEY message of each type: right in form, and mostly one a client could mean. */
final class PfkeyRequestMaker {
    /** How often each type is sent; the index is the type. */
    private static final int[] WEIGHTS = {0, 8, 8, 18, 6, 8, 3, 4, 1, 2, 5, 2, 1, 6, 14, 5, 6, 1, 5, 2, 3, 1, 5, 1, 6};

    // Algorithms that any kernel has, by their numbers, with a key they take; then such as few kernels have, or none.
    private static final int[][] AUTHS = {{2, 128}, {3, 160}, {3, 160}, {5, 256}, {6, 384}, {7, 512}, {9, 128}, {251, 0}
    };
    private static final int[][] CIPHERS = {{2, 64}, {3, 192}, {11, 0}, {12, 128}, {12, 128}, {12, 256}, {13, 160}};
    private static final int[] ODD_AUTHS = {0, 1, 4, 8, 10, 250, 252};
    private static final int[] ODD_CIPHERS = {0, 1, 4, 6, 7, 14, 18, 20, 22, 252, 253, 254};

    private final Dice dice;
    private final PfkeyPayloads payloads;

    PfkeyRequestMaker(Dice dice) {
        this.dice = dice;
        payloads = new PfkeyPayloads(dice, new Pools(dice));
    }

    /** Several that belong together, in order. */
    List<byte[]> relocation() {
        return new PfkeyRelocation(dice, payloads, new PfkeySpoiler(dice, this)).messages();
    }

    PfkeyDraft make() {
        int family = dice.pick(AddressFamily.INET, AddressFamily.INET, AddressFamily.INET6);
        PfkeyDraft draft = of(type(), family);
        draft.sequence = dice.pick(0, 1, 2, 77);
        draft.pid = dice.pick(0, 77, 4711);
        return draft;
    }

    private static final int WEIGHT_SUM = Arrays.stream(WEIGHTS).sum();

    private int type() {
        int left = dice.below(WEIGHT_SUM);
        int type = 0;
        for (left -= WEIGHTS[type]; left >= 0; left -= WEIGHTS[type]) {
            type++;
        }
        return type;
    }

    private PfkeyDraft of(int type, int family) {
        PfkeyDraft draft = new PfkeyDraft(type, dice.oneIn(25) ? dice.pick(0, 1, 4, 5, 8, 10, 255) : satype());
        return switch (type) {
            case SadbType.GETSPI ->
                withOptions(withEnds(draft, family), family, SadbExt.SPIRANGE, SadbExt.SPIRANGE, SadbExt.X_SA2);
            case SadbType.ADD, SadbType.UPDATE -> state(draft, family);
            case SadbType.DELETE, SadbType.GET ->
                withEnds(draft.with(SadbExt.SA, payloads.of(SadbExt.SA, family)), family);
            case SadbType.ACQUIRE -> acquire(draft);
            case SadbType.DUMP ->
                dice.oneIn(3) ? draft.with(SadbExt.X_FILTER, payloads.of(SadbExt.X_FILTER, family)) : any(draft);
            case SadbType.FLUSH, SadbType.REGISTER -> any(draft);
            case SadbType.X_PROMISC -> promiscuous(draft, family);
            case SadbType.X_SPDADD, SadbType.X_SPDUPDATE, SadbType.X_SPDSETIDX, SadbType.X_SPDDELETE ->
                policy(draft, family);
            case SadbType.X_SPDGET, SadbType.X_SPDDELETE2 -> policyName(draft);
            case SadbType.X_MIGRATE -> migrate(draft, family);
            case SadbType.X_SPDDUMP, SadbType.X_SPDFLUSH -> any(draft);
            default -> withEnds(draft, family);
        };
    }

    private int satype() {
        return dice.oneIn(5) ? dice.pick(Satype.AH, Satype.IPCOMP) : Satype.ESP;
    }

    private PfkeyDraft any(PfkeyDraft draft) {
        draft.satype = dice.oneIn(3) ? Satype.UNSPEC : draft.satype;
        return draft;
    }

    private PfkeyDraft withEnds(PfkeyDraft draft, int family) {
        return draft.with(SadbExt.ADDRESS_SRC, payloads.address(family))
                .with(SadbExt.ADDRESS_DST, payloads.address(family));
    }

    private PfkeyDraft withPrefixes(PfkeyDraft draft, int family) {
        return draft.with(SadbExt.ADDRESS_SRC, payloads.prefix(family))
                .with(SadbExt.ADDRESS_DST, payloads.prefix(family));
    }

    /** Each of the extensions every other time. */
    private PfkeyDraft withOptions(PfkeyDraft draft, int family, SadbExt... extensions) {
        for (SadbExt extension : extensions) {
            boolean there = draft.extensions.stream().anyMatch(present -> present.number() == extension.number());
            if (!there && dice.oneIn(2)) {
                draft.with(extension, payloads.of(extension, family));
            }
        }
        return draft;
    }

    private PfkeyDraft state(PfkeyDraft draft, int family) {
        int[] auth = dice.oneIn(20) ? new int[] {dice.pick(ODD_AUTHS), 160} : dice.choose(AUTHS);
        int[] cipher = dice.oneIn(20) ? new int[] {dice.pick(ODD_CIPHERS), 128} : dice.choose(CIPHERS);
        int encrypt = draft.satype == Satype.IPCOMP ? dice.pick(2, 2, 0, 1, 3, 4) : cipher[0];
        draft.with(
                SadbExt.SA,
                payloads.sa(draft.satype == Satype.IPCOMP ? 0 : auth[0], draft.satype == Satype.AH ? 0 : encrypt));
        withEnds(draft, family);
        if (draft.satype != Satype.IPCOMP) {
            draft.with(SadbExt.KEY_AUTH, payloads.key(bits(auth[1])));
        }
        if (draft.satype != Satype.AH && draft.satype != Satype.IPCOMP) {
            draft.with(SadbExt.KEY_ENCRYPT, payloads.key(bits(cipher[1])));
        }
        if (dice.oneIn(4)) {
            draft.with(SadbExt.LIFETIME_HARD, payloads.of(SadbExt.LIFETIME_HARD, family));
            draft.with(SadbExt.LIFETIME_SOFT, payloads.of(SadbExt.LIFETIME_SOFT, family));
        }
        withOptions(draft, family, SadbExt.X_SA2);
        if (dice.oneIn(4)) {
            withOptions(
                    draft.with(SadbExt.X_NAT_T_TYPE, payloads.of(SadbExt.X_NAT_T_TYPE, family)),
                    family,
                    SadbExt.X_NAT_T_SPORT,
                    SadbExt.X_NAT_T_DPORT,
                    SadbExt.X_NAT_T_OA);
        }
        return rarely(
                draft,
                family,
                SadbExt.ADDRESS_PROXY,
                SadbExt.LIFETIME_CURRENT,
                SadbExt.IDENTITY_SRC,
                SadbExt.IDENTITY_DST,
                SadbExt.SENSITIVITY,
                SadbExt.X_KMPRIVATE,
                SadbExt.X_SEC_CTX);
    }

    private int bits(int usual) {
        return dice.oneIn(20) ? dice.pick(0, 1, 8, 64, 120, 2048, 2056) : usual;
    }

    private PfkeyDraft rarely(PfkeyDraft draft, int family, SadbExt... extensions) {
        for (SadbExt extension : extensions) {
            if (dice.oneIn(20)) {
                draft.with(extension, payloads.of(extension, family));
            }
        }
        return draft;
    }

    private PfkeyDraft acquire(PfkeyDraft draft) {
        draft.errno = dice.pick(0, 3, 22, 110);
        return draft;
    }

    /** On, off, or a message to pass on. */
    private PfkeyDraft promiscuous(PfkeyDraft draft, int family) {
        draft.satype = dice.oneIn(10) ? dice.pick(2, 255) : dice.below(2);
        return dice.oneIn(6) ? withEnds(draft, family) : draft;
    }

    private PfkeyDraft policy(PfkeyDraft draft, int family) {
        draft.satype = dice.oneIn(4) ? draft.satype : Satype.UNSPEC;
        withPrefixes(draft, family).with(SadbExt.X_POLICY, payloads.policy(family));
        return rarely(
                draft,
                family,
                SadbExt.LIFETIME_HARD,
                SadbExt.LIFETIME_SOFT,
                SadbExt.LIFETIME_CURRENT,
                SadbExt.X_SEC_CTX);
    }

    private PfkeyDraft policyName(PfkeyDraft draft) {
        return draft.with(SadbExt.X_POLICY, payloads.policy(SadbXPolicy.IPSEC, payloads.id(), new byte[0]));
    }

    private PfkeyDraft migrate(PfkeyDraft draft, int family) {
        withPrefixes(draft, family).with(SadbExt.X_POLICY, payloads.migration(family));
        return withOptions(draft, family, SadbExt.X_KMADDRESS);
    }

    byte[] body(SadbExt extension) {
        return payloads.of(extension, dice.pick(AddressFamily.INET, AddressFamily.INET6));
    }

    /** A number in native order, as the bytes of some field. */
    byte[] edge() {
        return PfkeyDraft.body(Integer.BYTES, (ByteBuffer out) -> out.putInt(dice.edge()));
    }
}

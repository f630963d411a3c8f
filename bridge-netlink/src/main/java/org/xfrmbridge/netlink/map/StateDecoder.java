package org.xfrmbridge.netlink.map;

import java.nio.ByteBuffer;
import org.xfrmbridge.km.Errno;
import org.xfrmbridge.km.XfrmException;
import org.xfrmbridge.netlink.msg.AlgorithmStructs;
import org.xfrmbridge.netlink.msg.ReplayStructs;
import org.xfrmbridge.netlink.msg.Structs;
import org.xfrmbridge.netlink.msg.UsersaInfo;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.xfrm.Algorithm;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/**
 * What a client says of a State, as a {@link StateSpec}. Refused here is only what a spec cannot hold: a length inside
 * an attribute that is more than there is. All else is the core's to judge; a mode that has no name is null.
 */
public final class StateDecoder {
    private static final ReplayState NO_STATES_BITMAP = new ReplayState(0, 0, 0, 0, -1, new int[0]);

    private StateDecoder() {}

    public static StateSpec decode(UsersaInfo info, Attributes attributes) throws XfrmException {
        StateSpecBuilder spec = StateSpec.builder();
        copyInfo(info, spec);
        try {
            copyAlgorithms(attributes, spec);
            for (StateNumber number : StateNumber.ALL) {
                number.read(attributes, spec);
            }
            spec.offloadFlags(AttributeValues.offloadFlags(attributes)).given(given(attributes));
            copyStructs(attributes, spec);
            return spec.build();
        } catch (XfrmException e) {
            spec.build().wipeKeys();
            throw e;
        }
    }

    /** What ALLOCSPI says of the larval State it wants; all other attributes mean nothing to it. */
    public static StateSpec decodeLarval(UsersaInfo info, Attributes attributes) {
        StateSpecBuilder spec = StateSpec.builder();
        copyInfo(info, spec);
        StateNumber.IF_ID.read(attributes, spec);
        StateNumber.DIRECTION.read(attributes, spec);
        StateNumber.PCPU.read(attributes, spec);
        spec.mark(AttributeValues.mark(attributes)).given(given(attributes));
        return spec.build();
    }

    private static void copyInfo(UsersaInfo info, StateSpecBuilder spec) {
        spec.selector(info.selector())
                .id(info.id())
                .saddr(info.saddr())
                .lifetime(info.lifetime())
                .seq(info.seq())
                .reqid(info.reqid())
                .family(info.family())
                .mode(Mode.of(info.mode()))
                .replayWindow(info.replayWindow())
                .flags(info.flags());
    }

    /** Of two forms of authentication the truncated one counts. */
    private static void copyAlgorithms(Attributes attributes, StateSpecBuilder spec) throws XfrmException {
        spec.aead(algorithmWithIcv(attributes, XfrmAttribute.ALG_AEAD))
                .auth(algorithmWithIcv(attributes, XfrmAttribute.ALG_AUTH_TRUNC));
        spec.authTruncated(spec.auth() != null);
        Algorithm auth = algorithm(attributes, XfrmAttribute.ALG_AUTH);
        if (spec.authTruncated() && auth != null) {
            auth.wipe();
        } else if (!spec.authTruncated()) {
            spec.auth(auth);
        }
        spec.cipher(algorithm(attributes, XfrmAttribute.ALG_CRYPT))
                .compression(algorithm(attributes, XfrmAttribute.ALG_COMP));
        if (spec.compression() != null) {
            // It has none, whatever the client put there.
            spec.compression().wipe();
        }
    }

    private static Algorithm algorithm(Attributes attributes, int type) throws XfrmException {
        ByteBuffer payload = attributes.get(type);
        return payload == null ? null : complete(AlgorithmStructs.readAlgo(payload));
    }

    private static Algorithm algorithmWithIcv(Attributes attributes, int type) throws XfrmException {
        ByteBuffer payload = attributes.get(type);
        return payload == null ? null : complete(AlgorithmStructs.readAlgoWithIcv(payload));
    }

    private static Algorithm complete(Algorithm algorithm) throws XfrmException {
        if (algorithm == null) {
            throw new XfrmException(Errno.EINVAL, "algorithm attribute is shorter than its key");
        }
        return algorithm;
    }

    private static int given(Attributes attributes) {
        int given = 0;
        for (StateNumber number : StateNumber.ALL) {
            given |= number.given(attributes);
        }
        given |= attributes.has(XfrmAttribute.REPLAY_ESN_VAL) ? StateSpec.GIVEN_REPLAY_BITMAP : 0;
        given |= attributes.has(XfrmAttribute.SEC_CTX) ? StateSpec.GIVEN_SECURITY_CONTEXT : 0;
        for (int type = XfrmAttribute.IPTFS_DROP_TIME; type <= XfrmAttribute.IPTFS_PKT_SIZE; type++) {
            // The bits are in the order of the attributes.
            given |= attributes.has(type) ? StateSpec.GIVEN_IPTFS_DROP_TIME << type - XfrmAttribute.IPTFS_DROP_TIME : 0;
        }
        return given;
    }

    private static void copyStructs(Attributes attributes, StateSpecBuilder spec) throws XfrmException {
        ByteBuffer encapsulation = attributes.get(XfrmAttribute.ENCAP);
        if (encapsulation != null) {
            spec.encapsulation(Structs.readEncapsulation(encapsulation));
        }
        spec.careOfAddress(AttributeValues.address(attributes, XfrmAttribute.COADDR))
                .mark(AttributeValues.mark(attributes))
                .outputMark(AttributeValues.outputMark(attributes));
        AttributeValues.verifySecurityContext(attributes);
        spec.replay(replay(attributes)).usage(usage(attributes));
    }

    /** The replay numbers of a new State: those of the bitmap form if it has both, null if it has none. */
    private static ReplayState replay(Attributes attributes) throws XfrmException {
        ByteBuffer extended = attributes.get(XfrmAttribute.REPLAY_ESN_VAL);
        return extended != null ? replayEsn(extended) : plainReplay(attributes);
    }

    /** XFRMA_REPLAY_VAL, null if absent. */
    public static ReplayState plainReplay(Attributes attributes) {
        ByteBuffer plain = attributes.get(XfrmAttribute.REPLAY_VAL);
        return plain == null ? null : ReplayStructs.readReplay(plain);
    }

    /**
     * XFRMA_REPLAY_ESN_VAL of NEWAE, null if absent. Whether its lengths are right matters only to a State with a
     * bitmap, which is looked up first: a wrong one is read as one that fits no State.
     */
    public static ReplayState bitmapUpdate(Attributes attributes) {
        ByteBuffer payload = attributes.get(XfrmAttribute.REPLAY_ESN_VAL);
        if (payload == null) {
            return null;
        }
        int words = ReplayStructs.bitmapWords(payload);
        boolean fits = Integer.compareUnsigned(words, ReplayStructs.MAX_BITMAP_WORDS) <= 0
                && payload.limit() >= ReplayStructs.REPLAY_ESN_BYTES + 4 * words;
        return fits ? ReplayStructs.readReplayEsn(payload) : NO_STATES_BITMAP;
    }

    private static ReplayState replayEsn(ByteBuffer payload) throws XfrmException {
        int words = ReplayStructs.bitmapWords(payload);
        if (Integer.compareUnsigned(words, ReplayStructs.MAX_BITMAP_WORDS) > 0) {
            throw new XfrmException(Errno.EINVAL, "replay bitmap has more than 4096 bits");
        }
        // The bare structure may announce a bitmap that it does not carry: it is then empty.
        boolean bare = payload.limit() == ReplayStructs.REPLAY_ESN_BYTES;
        if (!bare && payload.limit() < ReplayStructs.REPLAY_ESN_BYTES + 4 * words) {
            throw new XfrmException(Errno.EINVAL, "replay attribute is shorter than its bitmap");
        }
        return ReplayStructs.readReplayEsn(payload);
    }

    /** XFRMA_LTIME_VAL, null if absent. */
    public static LifetimeCurrent usage(Attributes attributes) {
        ByteBuffer payload = attributes.get(XfrmAttribute.LTIME_VAL);
        return payload == null ? null : Structs.readLifetimeCurrent(payload);
    }
}

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
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.ReplayState;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpec.LifetimeCurrent;

/**
 * What a client says of a State, as a {@link StateSpec}. Refused here is only what a spec cannot hold: a length inside an attribute that is
 * more than there is, and an offload that must be there. All else is the core's to judge; a mode that has no name is null.
 */
public final class StateDecoder {
    /** XFRM_OFFLOAD_PACKET: the device must do it all. Without it, a kernel falls back to software when the device cannot. */
    private static final int OFFLOAD_PACKET = 4;

    private static final int ALL_BITS = -1;

    private StateDecoder() {}

    public static StateSpec decode(UsersaInfo info, Attributes attributes) throws XfrmException {
        StateSpec.Builder spec = StateSpec.builder();
        copyInfo(info, spec);
        try {
            copyAlgorithms(attributes, spec);
            copyNumbers(attributes, spec);
            copyStructs(attributes, spec);
            refuseOffload(attributes);
            return spec.build();
        } catch (XfrmException e) {
            spec.build().wipeKeys();
            throw e;
        }
    }

    private static void copyInfo(UsersaInfo info, StateSpec.Builder spec) {
        spec.selector = info.selector();
        spec.id = info.id();
        spec.saddr = info.saddr();
        spec.lifetime = info.lifetime();
        spec.seq = info.seq();
        spec.reqid = info.reqid();
        spec.family = info.family();
        spec.mode = Mode.of(info.mode());
        spec.replayWindow = info.replayWindow();
        spec.flags = info.flags();
    }

    private static void copyAlgorithms(Attributes attributes, StateSpec.Builder spec) throws XfrmException {
        spec.aead = algorithmWithIcv(attributes, XfrmAttribute.ALG_AEAD);
        Algorithm truncated = algorithmWithIcv(attributes, XfrmAttribute.ALG_AUTH_TRUNC);
        Algorithm auth = algorithm(attributes, XfrmAttribute.ALG_AUTH);
        spec.authTruncated = truncated != null;
        spec.auth = truncated != null ? truncated : auth;
        spec.cipher = algorithm(attributes, XfrmAttribute.ALG_CRYPT);
        spec.compression = algorithm(attributes, XfrmAttribute.ALG_COMP);
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

    private static void copyNumbers(Attributes attributes, StateSpec.Builder spec) {
        spec.extraFlags = attributes.getInt(XfrmAttribute.SA_EXTRA_FLAGS, 0);
        spec.tfcPadBytes = attributes.getInt(XfrmAttribute.TFCPAD, 0);
        spec.ifId = AttributeValues.ifId(attributes);
        spec.replayMaxDifference = attributes.getInt(XfrmAttribute.REPLAY_THRESH, StateSpec.ABSENT);
        spec.replayMaxAge = attributes.getInt(XfrmAttribute.ETIMER_THRESH, StateSpec.ABSENT);
        spec.mappingMaxAgeSeconds = attributes.getInt(XfrmAttribute.MTIMER_THRESH, 0);
        spec.direction = attributes.getByte(XfrmAttribute.SA_DIR, 0);
        spec.natKeepaliveSeconds = attributes.getInt(XfrmAttribute.NAT_KEEPALIVE_INTERVAL, 0);
        spec.pcpu = attributes.getInt(XfrmAttribute.SA_PCPU, StateSpec.ABSENT);
    }

    private static void copyStructs(Attributes attributes, StateSpec.Builder spec) throws XfrmException {
        ByteBuffer encapsulation = attributes.get(XfrmAttribute.ENCAP);
        if (encapsulation != null) {
            spec.encapsulation = Structs.readEncapsulation(encapsulation);
        }
        spec.careOfAddress = AttributeValues.address(attributes, XfrmAttribute.COADDR);
        spec.mark = AttributeValues.mark(attributes);
        if (attributes.has(XfrmAttribute.SET_MARK)) {
            int mask = attributes.getInt(XfrmAttribute.SET_MARK_MASK, ALL_BITS);
            spec.outputMark = new Mark(attributes.getInt(XfrmAttribute.SET_MARK, 0), mask);
        }
        spec.securityContext = AttributeValues.securityContext(attributes);
        spec.replay = replay(attributes);
        spec.usage = usage(attributes);
    }

    /** The replay numbers a message carries: those of the bitmap form if it has both, null if it has none. */
    public static ReplayState replay(Attributes attributes) throws XfrmException {
        ByteBuffer extended = attributes.get(XfrmAttribute.REPLAY_ESN_VAL);
        if (extended != null) {
            return replayEsn(extended);
        }
        ByteBuffer plain = attributes.get(XfrmAttribute.REPLAY_VAL);
        return plain == null ? null : ReplayStructs.readReplay(plain);
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

    private static void refuseOffload(Attributes attributes) throws XfrmException {
        ByteBuffer payload = attributes.get(XfrmAttribute.OFFLOAD_DEV);
        if (payload != null && (payload.get(4) & OFFLOAD_PACKET) != 0) {
            throw new XfrmException(Errno.EINVAL, "there is no hardware that could take this State");
        }
    }
}

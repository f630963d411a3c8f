package org.xfrmbridge.netlink.map;

import java.util.Arrays;
import java.util.List;
import java.util.function.ObjIntConsumer;
import java.util.function.ToIntFunction;
import org.xfrmbridge.netlink.msg.XfrmAttribute;
import org.xfrmbridge.netlink.nl.Attributes;
import org.xfrmbridge.netlink.nl.NetlinkWriter;
import org.xfrmbridge.xfrm.StateSpec;
import org.xfrmbridge.xfrm.StateSpecBuilder;

/**
 * The numbers of a State that have an attribute each: a row is all that requests, answers and clients need of one more,
 * beside its form in {@link XfrmAttribute} and its part of {@link StateSpec}. In a kernel's order.
 */
enum StateNumber {
    EXTRA_FLAGS(XfrmAttribute.SA_EXTRA_FLAGS, 4, 0, 0, StateSpecBuilder::extraFlags, StateSpec::extraFlags),
    TFC_PAD(XfrmAttribute.TFCPAD, 4, 0, StateSpec.GIVEN_TFC_PAD, StateSpecBuilder::tfcPadBytes, StateSpec::tfcPadBytes),
    REPLAY_THRESHOLD(
            XfrmAttribute.REPLAY_THRESH,
            4,
            StateSpec.ABSENT,
            StateSpec.GIVEN_REPLAY_THRESHOLD,
            StateSpecBuilder::replayMaxDifference,
            StateSpec::replayMaxDifference),
    TIMER_THRESHOLD(
            XfrmAttribute.ETIMER_THRESH,
            4,
            StateSpec.ABSENT,
            StateSpec.GIVEN_TIMER_THRESHOLD,
            StateSpecBuilder::replayMaxAge,
            StateSpec::replayMaxAge),
    IF_ID(XfrmAttribute.IF_ID, 4, 0, 0, StateSpecBuilder::ifId, StateSpec::ifId),
    MAPPING_AGE(
            XfrmAttribute.MTIMER_THRESH,
            4,
            0,
            StateSpec.GIVEN_MAPPING_AGE,
            StateSpecBuilder::mappingMaxAgeSeconds,
            StateSpec::mappingMaxAgeSeconds),
    PCPU(XfrmAttribute.SA_PCPU, 4, StateSpec.ABSENT, StateSpec.GIVEN_PCPU, StateSpecBuilder::pcpu, StateSpec::pcpu),
    DIRECTION(XfrmAttribute.SA_DIR, 1, 0, 0, StateSpecBuilder::direction, StateSpec::direction),
    NAT_KEEPALIVE(
            XfrmAttribute.NAT_KEEPALIVE_INTERVAL,
            4,
            0,
            0,
            StateSpecBuilder::natKeepaliveSeconds,
            StateSpec::natKeepaliveSeconds);

    static final List<StateNumber> ALL = List.of(values());

    /** What a State ends with when it is told. */
    static final List<StateNumber> LAST =
            Arrays.stream(values()).filter(n -> n.compareTo(MAPPING_AGE) >= 0).toList();

    private final int type;
    private final int bytes;
    private final int absent;
    private final int given;
    private final ObjIntConsumer<StateSpecBuilder> setter;
    private final ToIntFunction<StateSpec> getter;

    /**
     * @param bytes 1 or 4
     * @param absent the value of who has no such attribute
     * @param given the bit of who has it; 0 if {@code absent} says all
     */
    StateNumber(
            int type,
            int bytes,
            int absent,
            int given,
            ObjIntConsumer<StateSpecBuilder> setter,
            ToIntFunction<StateSpec> getter) {
        this.type = type;
        this.bytes = bytes;
        this.absent = absent;
        this.given = given;
        this.setter = setter;
        this.getter = getter;
    }

    void read(Attributes attributes, StateSpecBuilder spec) {
        if (attributes.has(type)) {
            setter.accept(spec, bytes == 1 ? attributes.getByte(type, absent) : attributes.getInt(type, absent));
        }
    }

    /** The bit that tells it apart from an absent one. */
    int given(Attributes attributes) {
        return attributes.has(type) ? given : 0;
    }

    /** As a kernel tells it, which leaves out what has its value without it. */
    void put(NetlinkWriter out, StateSpec spec) {
        int value = getter.applyAsInt(spec);
        if (value != absent) {
            put(out, value);
        }
    }

    /** As a client says it. */
    void putGiven(NetlinkWriter out, StateSpec spec) {
        int value = getter.applyAsInt(spec);
        if (value != absent || spec.isGiven(given)) {
            put(out, value);
        }
    }

    private void put(NetlinkWriter out, int value) {
        if (bytes == 1) {
            out.putByte(type, value);
        } else {
            out.putInt(type, value);
        }
    }
}

package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * One State in all tables of the {@link Sad}: the keys readers compare, copied out of the spec so that a lookup touches one object, and the
 * links of the chains it is in. Never reused: a State whose keys change gets a new entry.
 */
final class SadEntry extends WalkEntry<State> {
    final long daddrHigh;
    final long daddrLow;
    final long saddrHigh;
    final long saddrLow;
    final int spi;
    /** Family and protocol in one. */
    final int kind;
    final int sequence;
    final int markValue;
    final int markMask;
    final long addSeconds;

    /** The next older entry of the same key in the table by Spi or by source, whichever it is in. */
    volatile SadEntry alike;

    volatile SadEntry alikeInSequence;

    /** The next one of the group's chain. */
    volatile SadEntry next;

    SadEntry previous;
    StateGroup group;

    SadEntry(State state) {
        super(state);
        StateSpec spec = state.spec();
        int family = spec.family();
        daddrHigh = high(spec.id().daddr().high(), family);
        daddrLow = low(spec.id().daddr().low(), family);
        saddrHigh = high(spec.saddr().high(), family);
        saddrLow = low(spec.saddr().low(), family);
        spi = spec.id().spi();
        kind = kind(family, spec.id().protocol());
        sequence = spec.seq();
        markValue = spec.mark().value();
        markMask = spec.mark().mask();
        addSeconds = state.usage().addSeconds();
    }

    State state() {
        return value();
    }

    boolean fitsMark(int mark) {
        return (mark & markMask) == markValue;
    }

    /** Whether packets and clients name it by its Spi; the mobility protocols have none and go by addresses. */
    boolean isNamedBySpi() {
        return hasSpi(protocol());
    }

    int protocol() {
        return kind & 0xff;
    }

    int spiHash() {
        return spiHash(daddrHigh, daddrLow, spi, kind);
    }

    int sourceHash() {
        return sourceHash(saddrHigh, saddrLow, daddrHigh ^ daddrLow, kind);
    }

    boolean isNamed(long high, long low, int itsSpi, int itsKind) {
        return spi == itsSpi && daddrHigh == high && daddrLow == low && kind == itsKind;
    }

    boolean isBetween(long fromHigh, long fromLow, long toHigh, long toLow, int itsKind) {
        return saddrHigh == fromHigh
                && saddrLow == fromLow
                && daddrHigh == toHigh
                && daddrLow == toLow
                && kind == itsKind;
    }

    /** Whether both have the same key in the table they are in. */
    boolean isAlike(SadEntry other) {
        return isNamedBySpi()
                ? other.isNamed(daddrHigh, daddrLow, spi, kind)
                : other.isBetween(saddrHigh, saddrLow, daddrHigh, daddrLow, kind);
    }

    /** Whether another spec puts a State at another place of any table. */
    boolean isMovedBy(StateSpec spec) {
        StateSpec now = state().spec();
        return !spec.id().equals(now.id())
                || !spec.saddr().equals(now.saddr())
                || spec.family() != now.family()
                || spec.mode() != now.mode()
                || spec.reqid() != now.reqid()
                || spec.ifId() != now.ifId()
                || spec.seq() != sequence
                || !spec.mark().equals(now.mark());
    }

    static int spiHash(long daddrHigh, long daddrLow, int spi, int kind) {
        return Hashing.hash(daddrHigh ^ Integer.toUnsignedLong(spi), daddrLow ^ (long) kind << 48);
    }

    static int sourceHash(long saddrHigh, long saddrLow, long daddr, int kind) {
        return Hashing.fold(Hashing.mix(Hashing.mix(Hashing.mix(kind, saddrHigh), saddrLow), daddr));
    }

    static int kind(int family, int protocol) {
        return family << 8 | protocol;
    }

    static boolean hasSpi(int protocol) {
        return protocol == IpProtocol.ESP || protocol == IpProtocol.AH || protocol == IpProtocol.COMP;
    }

    /** Of an IPv4 address only the first four bytes count, whatever a client left behind them. */
    static long high(long high, int family) {
        return family == AddressFamily.INET ? high & 0xffffffff00000000L : high;
    }

    static long low(long low, int family) {
        return family == AddressFamily.INET ? 0 : low;
    }
}

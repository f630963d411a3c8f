package org.xfrmbridge.db;

import org.xfrmbridge.xfrm.AddressFamily;
import org.xfrmbridge.xfrm.IpProtocol;
import org.xfrmbridge.xfrm.Mark;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.StateSpec;

/**
 * One State in all tables of the {@link Sad}: what readers compare beside its {@link StateGroup}'s keys, copied out of
 * the spec, and the links of the chains it is in. Never reused: a State whose keys change gets a new entry.
 */
final class SadEntry extends WalkEntry<State> {
    final int spi;
    final int sequence;
    private final int markValue;
    private final int markMask;
    final long addSeconds;
    /** The one that it is for, {@link StateSpec#ABSENT} for all. */
    final int cpu;

    /** Set before any table has the entry, and never again. */
    StateGroup group;

    /** The next older entry of the same key in the table by Spi or by source, whichever it is in. */
    volatile SadEntry alike;

    volatile SadEntry alikeInSequence;

    /** The next one of the group's chain. */
    volatile SadEntry next;

    SadEntry previous;

    SadEntry(State state) {
        setValue(state);
        StateSpec spec = state.spec();
        spi = spec.id().spi();
        sequence = spec.seq();
        markValue = spec.mark().value();
        markMask = spec.mark().mask();
        addSeconds = state.addSeconds();
        cpu = spec.pcpu();
    }

    /** Where a State is; null if it is in no database. */
    static SadEntry of(State state) {
        return (SadEntry) state.entry();
    }

    State state() {
        return value();
    }

    boolean isOfOneCpu() {
        return cpu != StateSpec.ABSENT;
    }

    boolean fitsMark(int mark) {
        return Mark.fits(mark, markValue, markMask);
    }

    boolean fitsEveryMark() {
        return (markValue | markMask) == 0;
    }

    /** Family and protocol in one. */
    int kind() {
        return group.kind >>> 8;
    }

    int protocol() {
        return kind() & 0xff;
    }

    int sourceHash() {
        return sourceHash(group.saddrHigh, group.saddrLow, group.daddrHigh ^ group.daddrLow, kind());
    }

    boolean isNamed(long high, long low, int itsSpi, int itsKind) {
        return spi == itsSpi && group.daddrHigh == high && group.daddrLow == low && kind() == itsKind;
    }

    boolean isBetween(long fromHigh, long fromLow, long toHigh, long toLow, int itsKind) {
        return group.saddrHigh == fromHigh
                && group.saddrLow == fromLow
                && group.daddrHigh == toHigh
                && group.daddrLow == toLow
                && kind() == itsKind;
    }

    /**
     * Whether both have the same key in the table they are in: packets and clients name those of protocols without Spi
     * by addresses.
     */
    boolean isAlike(SadEntry other) {
        return hasSpi(protocol())
                ? other.isNamed(group.daddrHigh, group.daddrLow, spi, kind())
                : other.isBetween(group.saddrHigh, group.saddrLow, group.daddrHigh, group.daddrLow, kind());
    }

    /** The first of a chain that fits a mark, or null. */
    State youngestAlike(int mark) {
        for (SadEntry entry = this; entry != null; entry = entry.alike) {
            if (entry.fitsMark(mark)) {
                return entry.state();
            }
        }
        return null;
    }

    /** The first of a chain that has a mark, value and mask alike, or null. */
    State youngestMarked(Mark mark) {
        for (SadEntry entry = this; entry != null; entry = entry.alike) {
            if (entry.state().spec().mark().isAlike(mark)) {
                return entry.state();
            }
        }
        return null;
    }

    /** Takes one out of the chain that begins here. Its own link stays, for readers that stand on it. */
    void unlinkAlike(SadEntry entry) {
        SadEntry before = this;
        while (before.alike != entry) {
            before = before.alike;
        }
        before.alike = entry.alike;
    }

    /** Whether another spec gives a State another key in any table. */
    boolean isMovedBy(StateSpec spec) {
        StateSpec now = state().spec();
        return !spec.id().equals(now.id())
                || !spec.saddr().equals(now.saddr())
                || spec.family() != now.family()
                || spec.mode() != now.mode()
                || spec.reqid() != now.reqid()
                || spec.ifId() != now.ifId()
                || spec.seq() != sequence
                || spec.pcpu() != now.pcpu()
                || !spec.mark().equals(now.mark());
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

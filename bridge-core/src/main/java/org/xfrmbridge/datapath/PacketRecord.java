package org.xfrmbridge.datapath;

import java.util.List;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.Policy;
import org.xfrmbridge.xfrm.State;
import org.xfrmbridge.xfrm.Template;
import org.xfrmbridge.xfrm.Usage;

/**
 * What became of one packet, and what the path knew of it. Made for drops, and of all packets while somebody watches.
 * Never changes; any thread may read it. It names Policies and States as they were used, which may be dead by now.
 *
 * @param timeNs on the clock
 * @param cause why it was dropped; null if it was not
 * @param flow the innermost packet that was read, not to be changed; null if none could be
 * @param bytes of that packet
 * @param limitBytes what it could be long; 0 if that was not asked
 * @param decision where the policies' answer is from
 * @param policies those that ruled it
 * @param need which of their templates found no State, or no way; null if none
 * @param passages the States it went or came through, in that order; the last is the one it ended at, if it did
 * @param spi of the State that it named and that is not there
 * @param named protocol of that; 0 if it named none
 * @param encapsulated whether it came in UDP
 * @param moved where it came from, if its State was agreed with another address or port; null if not
 * @param mtuBytes of its way outside; 0 if unknown
 * @param before the frame as it came, after as it left; null unless somebody captures
 */
public record PacketRecord(
        long timeNs,
        Direction direction,
        Outcome outcome,
        DropCause cause,
        Flow flow,
        int bytes,
        int limitBytes,
        Decision decision,
        List<Policy> policies,
        Need need,
        List<Passage> passages,
        int spi,
        int named,
        boolean encapsulated,
        Moved moved,
        int mtuBytes,
        byte[] before,
        byte[] after) {
    /** What became of it. */
    public enum Outcome {
        /** It went out through States. */
        PROTECTED,
        /** It came in through States, and the host gets it. */
        OPENED,
        /** It went on as it came. */
        PASSED,
        DROPPED
    }

    /** Where the policies' answer is from. */
    public enum Decision {
        /** They were not asked. */
        NONE,
        /** Remembered with the flow. */
        CACHED,
        /** Worked out for this packet. */
        RESOLVED
    }

    /**
     * What was looked for in vain.
     *
     * @param template null if it is not a template that is missing
     * @param state one that stands in the way, or cannot do it; null if there is none
     * @param remote where its packets would go, and {@code local} where from; either may be null
     */
    public record Need(Policy policy, Template template, State state, Address remote, Address local) {}

    /** Where a peer was agreed to be, and where it is. */
    public record Moved(int family, Address from, int fromPort, Address to, int toPort) {}

    /**
     * One State at work on the packet.
     *
     * @param sequence the packet's number, 0 for none
     * @param highest that came in through it until then; 0 outbound
     * @param bytes it had carried by then, and {@code packets}
     */
    public record Passage(State state, long sequence, long highest, int windowBits, long bytes, long packets) {
        static Passage of(State state, long sequence) {
            // What a State that was not used would make of its numbers, the first packet is to make.
            boolean isUsed = state.isUsed();
            long highest =
                    isUsed ? Integer.toUnsignedLong(state.replaySnapshot().seq()) : 0;
            int windowBits = isUsed ? state.replayWindow().windowBits() : 0;
            Usage usage = state.usage();
            return new Passage(state, sequence, highest, windowBits, usage.bytes(), usage.packets());
        }
    }

    public boolean isDropped() {
        return outcome == Outcome.DROPPED;
    }
}

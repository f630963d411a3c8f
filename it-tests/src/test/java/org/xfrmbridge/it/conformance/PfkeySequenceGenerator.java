package org.xfrmbridge.it.conformance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.xfrmbridge.pfkey.sadb.SadbType;

/** Makes the sequences of a seed for a client of PF_KEY that uses netlink, too, on the same tables. */
final class PfkeySequenceGenerator {
    private static final int MAX_REQUESTS = 14;

    /** Messages that name an entry in the same way: one becomes another by its type alone. */
    private static final int[][] KINSHIPS = {
        {SadbType.ADD, SadbType.UPDATE, SadbType.GET, SadbType.DELETE},
        {SadbType.X_SPDADD, SadbType.X_SPDUPDATE, SadbType.X_SPDSETIDX, SadbType.X_SPDDELETE}
    };

    private final SequenceGenerator netlink;
    private final int maxAttribute;
    private final long seed;

    /** @param profile of what is asked through netlink */
    PfkeySequenceGenerator(Profile profile, long seed) {
        netlink = new SequenceGenerator(profile, seed);
        maxAttribute = profile.maxAttribute();
        this.seed = seed;
    }

    /** The sequence of that number, whatever was made before. */
    Sequence make(int number) {
        Dice dice = new Dice(seed * 1_000_033 + number);
        RequestMaker requests = new RequestMaker(dice, maxAttribute);
        Spoiler spoiler = new Spoiler(dice, requests, maxAttribute);
        PfkeyRequestMaker messages = new PfkeyRequestMaker(dice);
        int count = 4 + dice.below(MAX_REQUESTS - 3);
        int netlinkShare = dice.pick(3, 5, 1000);
        List<Datagram> datagrams = new ArrayList<>();
        if (dice.oneIn(8)) {
            messages.relocation().forEach(message -> datagrams.add(Datagram.pfkey(message)));
        }
        for (int sequence = 1; sequence <= count; sequence++) {
            datagrams.add(
                    !datagrams.isEmpty() && dice.oneIn(netlinkShare)
                            ? Datagram.netlink(netlink.request(dice, requests, spoiler, sequence))
                            : Datagram.pfkey(
                                    dice.oneIn(3) ? followUp(dice, datagrams, messages) : message(dice, messages)));
        }
        return new Sequence(number, true, false, datagrams);
    }

    /**
     * An earlier message with another type, so that it finds the entry the earlier one made; a new one if there is none
     * to follow.
     */
    private static byte[] followUp(Dice dice, List<Datagram> earlier, PfkeyRequestMaker maker) {
        for (Datagram datagram : earlier.reversed()) {
            for (int[] kinship : KINSHIPS) {
                boolean kin = datagram.protocol() == Protocol.PF_KEY
                        && Arrays.stream(kinship).anyMatch(type -> type == datagram.bytes()[1]);
                if (kin && !dice.oneIn(3)) {
                    byte[] message = datagram.bytes().clone();
                    message[1] = (byte) dice.pick(kinship);
                    return message;
                }
            }
        }
        return message(dice, maker);
    }

    private static byte[] message(Dice dice, PfkeyRequestMaker maker) {
        PfkeyDraft draft = maker.make();
        PfkeySpoiler spoiler = new PfkeySpoiler(dice, maker);
        if (dice.oneIn(3)) {
            spoiler.spoil(draft);
        }
        if (dice.oneIn(8)) {
            spoiler.spoil(draft);
        }
        return draft.toBytes();
    }
}

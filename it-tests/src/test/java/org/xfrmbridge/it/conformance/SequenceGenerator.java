package org.xfrmbridge.it.conformance;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Makes the sequences of a seed: what a client sends, datagram by datagram, to tables that are empty at first. */
final class SequenceGenerator {
    private static final int MAX_REQUESTS = 12;
    private static final int[] PORTS = {0, 77, 4711};

    private final Profile profile;
    private final long seed;
    private final List<Map.Entry<Integer, Integer>> weights;
    private final int weightSum;

    SequenceGenerator(Profile profile, long seed) {
        this.profile = profile;
        this.seed = seed;
        weights = profile.weights().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .toList();
        weightSum = weights.stream().mapToInt(Map.Entry::getValue).sum();
    }

    /** The sequence of that number, whatever was made before. */
    Sequence make(int number) {
        Dice dice = new Dice(seed * 1_000_003 + number);
        RequestMaker maker = new RequestMaker(dice, profile.maxAttribute());
        Spoiler spoiler = new Spoiler(dice, maker, profile.maxAttribute());
        boolean capAck = dice.oneIn(4);
        boolean extAck = !dice.oneIn(4);
        int count = 3 + dice.below(MAX_REQUESTS - 2);
        List<Datagram> datagrams = new ArrayList<>();
        if (dice.oneIn(5)) {
            datagrams.addAll(together(dice, maker));
        }
        for (int sequence = 1; sequence <= count; sequence++) {
            ByteArrayOutputStream datagram = new ByteArrayOutputStream();
            datagram.writeBytes(request(dice, maker, spoiler, sequence));
            if (dice.oneIn(25) && datagram.size() % 4 == 0) {
                datagram.writeBytes(request(dice, maker, spoiler, 100 + sequence));
            }
            datagrams.add(Datagram.netlink(spoilLength(dice, datagram.toByteArray())));
        }
        return new Sequence(number, capAck, extAck, datagrams);
    }

    /** Requests that belong together: chance would seldom make them. */
    private List<Datagram> together(Dice dice, RequestMaker maker) {
        boolean states = profile.hasTransforms();
        return switch (dice.below(states ? 5 : 4)) {
            case 0, 1 ->
                datagrams(
                        profile.migratesByTraffic()
                                ? new RivalPolicies(dice).requests()
                                : new Relocation(dice, maker).requests());
            case 2 -> datagrams(new MarkedTwins(dice, maker, states).requests());
            case 3 -> new Deadlines(dice, states).requests();
            default -> datagrams(new CompressedTunnels(dice, maker).requests());
        };
    }

    private static List<Datagram> datagrams(List<Draft> drafts) {
        List<Datagram> datagrams = new ArrayList<>();
        drafts.forEach(draft -> datagrams.add(Datagram.netlink(draft.toBytes(200 + datagrams.size(), 0))));
        return datagrams;
    }

    /** One request of the profile, with that number. */
    byte[] request(Dice dice, RequestMaker maker, Spoiler spoiler, int sequence) {
        Draft draft = maker.make(type(dice));
        if (dice.oneIn(4)) {
            spoiler.spoil(draft);
        }
        if (dice.oneIn(20)) {
            spoiler.spoil(draft);
        }
        return draft.toBytes(sequence, dice.pick(PORTS));
    }

    private int type(Dice dice) {
        int left = dice.below(weightSum);
        for (Map.Entry<Integer, Integer> entry : weights) {
            left -= entry.getValue();
            if (left < 0) {
                return entry.getKey();
            }
        }
        throw new AssertionError("weights do not add up");
    }

    /** A message whose length is not what it says. */
    private static byte[] spoilLength(Dice dice, byte[] datagram) {
        if (dice.oneIn(60)) {
            datagram[dice.below(2)] ^= (byte) (1 << dice.below(8));
        }
        return datagram;
    }
}

package org.xfrmbridge.netlink.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.xfrmbridge.io.ControlFrame;
import org.xfrmbridge.netlink.text.MessageText;

/** Replays what a client sent to a real kernel and compares the answers with the kernel's, message for message. */
class TranscriptTest {
    private final Bench bench = new Bench();
    private final List<byte[]> replies = new ArrayList<>();
    private final List<byte[]> events = new ArrayList<>();
    private final NetlinkSession client = bench.session(Transcript.PORT_ID, replies);
    private final NetlinkSession listener = bench.session(4712, events);

    @TestFactory
    Stream<DynamicTest> shouldAnswerAsLinuxWhenAskedForPoliciesAndLarvalStates() {
        return replay("linux-6.18-policies.txt");
    }

    @TestFactory
    Stream<DynamicTest> shouldAnswerAsLinuxWhenAskedForStates() {
        return replay("linux-6.12-states.txt");
    }

    @TestFactory
    Stream<DynamicTest> shouldAnswerAsLinuxWhenAskedByIproute2() {
        return replay("iproute2-6.1.txt");
    }

    private Stream<DynamicTest> replay(String resource) {
        client.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.OPTION, Bench.EXT_ACK, 1).toBytes()));
        listener.receive(ByteBuffer.wrap(new ControlFrame(ControlFrame.GROUPS, 0xff, 0).toBytes()));
        List<Transcript.Exchange> exchanges = Transcript.load(resource).exchanges();
        boolean listened =
                exchanges.stream().anyMatch(exchange -> !exchange.events().isEmpty());
        return exchanges.stream()
                .map(exchange -> dynamicTest(exchange.name(), () -> {
                    replay(exchange);
                    if (listened) {
                        assertSame(exchange.events(), events, "events");
                    }
                }));
    }

    private void replay(Transcript.Exchange exchange) {
        replies.clear();
        events.clear();
        exchange.requests().forEach(request -> client.receive(ByteBuffer.wrap(request)));
        assertSame(exchange.replies(), replies, "replies");
    }

    /** Equal, but that we may give a reason where the kernel gives none. */
    private static void assertSame(List<byte[]> theirs, List<byte[]> ours, String what) {
        List<String> expected = lines(theirs);
        List<String> actual = new ArrayList<>(lines(ours));
        for (int i = 0; i < Math.min(expected.size(), actual.size()); i++) {
            if (!expected.get(i).endsWith(MessageText.EXPLANATION)) {
                actual.set(i, withoutText(actual.get(i)));
            }
        }
        assertEquals(String.join("\n", expected), String.join("\n", actual), what);
    }

    private static List<String> lines(List<byte[]> datagrams) {
        return datagrams.stream()
                .flatMap(datagram -> MessageText.render("", datagram).stream())
                .toList();
    }

    private static String withoutText(String line) {
        return line.endsWith(MessageText.EXPLANATION)
                ? line.substring(0, line.length() - MessageText.EXPLANATION.length())
                        .replace("flags 0x200", "flags 0x0")
                : line;
    }
}

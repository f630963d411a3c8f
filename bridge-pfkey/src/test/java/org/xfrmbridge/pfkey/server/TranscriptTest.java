package org.xfrmbridge.pfkey.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.xfrmbridge.pfkey.sadb.SadbMsg;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.AddressFamily;

/** Replays what sockets sent to a real kernel and compares what each of them received, message for message. */
class TranscriptTest {
    private final Bench bench = new Bench();

    @TestFactory
    Stream<DynamicTest> shouldAnswerAsLinuxWhenAskedTheSame() {
        return Transcript.load("linux-6.1.txt").exchanges().stream()
                .map(exchange -> dynamicTest(exchange.name(), () -> replay(exchange)));
    }

    private void replay(Transcript.Exchange exchange) {
        exchange.acts().forEach(act -> perform(act.split(" ")));
        Map<String, List<byte[]>> expected = new LinkedHashMap<>(exchange.received());
        Transcript.Sent sent = exchange.sent();
        if (sent != null) {
            bench.send(sent.socket(), sent.datagram());
            // The call cannot fail here; who has a header is told by a message.
            if (sent.refusal() != 0 && sent.datagram().length >= SadbMsg.BYTES) {
                byte[] refusal = SadbMsg.read(ByteBuffer.wrap(sent.datagram()))
                        .answeredWith(sent.refusal())
                        .toBytes();
                expected.put(sent.socket(), List.of(refusal));
            }
        }
        assertEquals(render(expected), render(bench.take()));
    }

    private void perform(String[] act) {
        switch (act[0]) {
            case "open" -> bench.open(act[1]);
            case "close" -> bench.close(act[1]);
            case "wait" -> bench.passSeconds(Integer.parseInt(act[1]));
            case "packet" -> bench.packet(AddressFamily.INET, Address.parse("192.0.2.1"), Address.parse(act[1]));
            default -> throw new IllegalArgumentException(act[0]);
        }
    }

    private static String render(Map<String, List<byte[]>> received) {
        StringBuilder text = new StringBuilder();
        new TreeMap<>(received)
                .forEach((socket, messages) -> text.append(socket).append(":\n").append(Rendering.render(messages)));
        return text.toString();
    }
}

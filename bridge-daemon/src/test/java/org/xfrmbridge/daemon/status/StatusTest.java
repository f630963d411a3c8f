package org.xfrmbridge.daemon.status;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StatusTest {
    private static Place place(String fault) {
        return new Place(
                "in the stack",
                "xfrm0",
                false,
                "",
                7,
                List.of(new Part("device xfrm0", fault)),
                IntStream.range(0, 20).mapToObj(i -> "veth" + i).toList(),
                List.of("wg0"),
                List.of(4500));
    }

    private static Status running(String fault, List<String> closed) {
        return new Status(
                true,
                "/run/x",
                1_000_000_000,
                place(fault),
                2,
                Map.of("out", 3, "fwd", 0),
                List.of("out, IPv4: a default verdict blocks"),
                closed,
                List.of("charon (process 7) is misled"),
                List.of("12:00:00.000 WARN a <warning>"),
                "2 rules are wrong");
    }

    private static String text(Status status) {
        return new StatusText(status, ZoneOffset.UTC).toString();
    }

    @Test
    void shouldHaveTheExitCodesOfSystemctl() {
        assertEquals(0, running(null, List.of()).exitCode());
        assertEquals(1, running("is down", List.of()).exitCode());
        assertEquals(1, running(null, List.of("nothing leaves")).exitCode());
        assertEquals(3, Status.ended("/run/x", place(null), List.of()).exitCode());
        assertEquals(3, Status.ended("/run/x", null, List.of()).exitCode());
    }

    @Test
    void shouldShowAllOnOneScreen() {
        String text = text(running("is down", List.of("nothing leaves")));
        for (String line : List.of(
                "xfrm-bridge runs in the stack, in /run/x, since 2001-09-09 01:46:40",
                "  WRONG  device xfrm0: is down",
                "CLOSED         nothing leaves",
                "policies       3 out",
                "all selected   out, IPv4: a default verdict blocks",
                "not covered    wg0: what policies select and is sent there all the same is dropped",
                "ESP in UDP     at port 4500",
                "not served     charon (process 7) is misled",
                "warned         12:00:00.000 WARN a <warning>")) {
            assertTrue(text.contains(line + '\n'), text);
        }
        assertTrue(text.contains("veth11 and 8 more\n") && !text.contains("fwd"), text);
        assertTrue(text.endsWith("firewall       2 rules are wrong\n"), text);
    }

    @Test
    void shouldNameTheTwoWaysOutOfWhatWasLeftClosed() {
        String text = text(Status.ended("/run/x", place(null), List.of("1 policy")));
        assertTrue(text.contains("CLOSED         1 policy\n"), text);
        assertTrue(text.contains("to go on       xfrm-bridge run --dir /run/x\n"), text);
        assertTrue(text.endsWith("to open        xfrm-bridge detach --dir /run/x\n"), text);
    }

    @Test
    void shouldSayTheSameInJson() throws IOException {
        Status status = running(null, List.of());
        String json = status.toJson();
        assertTrue(json.contains("\"since_epoch_seconds\": 1000000000") && json.contains("a <warning>"), json);
        assertEquals(status, Status.ofJson(json));
        assertFalse(json.contains("null"), json);
        assertThrows(IOException.class, () -> Status.ofJson("errno 22\n"));
    }
}

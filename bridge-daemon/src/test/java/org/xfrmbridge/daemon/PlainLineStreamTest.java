package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class PlainLineStreamTest {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    private String text() {
        return written.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldWriteOneLineOfTheLogForANameWithLineBreaks() {
        PrintStream before = System.err;
        System.setErr(new PlainLineStream(written, StandardCharsets.UTF_8));
        try {
            LoggerFactory.getLogger("test")
                    .info("{} listens", "charon\n12:00:00.000 INFO nothing\r\u001b[2K\u2028\u202e\u0085x");
        } finally {
            System.setErr(before);
        }
        assertEquals(1, text().lines().count(), text());
        assertTrue(
                text().contains("charon\\n12:00:00.000 INFO nothing\\r\\u001b[2K\\u2028\\u202e\\u0085x listens"),
                text());
    }

    @Test
    void shouldWriteOneLineForTheMessageOfAnException() {
        PrintStream out = new PlainLineStream(written, StandardCharsets.UTF_8);
        new IllegalStateException("a\nb").printStackTrace(out);
        assertTrue(text().startsWith("java.lang.IllegalStateException: a\\nb\n\tat "), text());
    }

    @Test
    void shouldKeepTheLastWarnings() {
        PlainLineStream out = new PlainLineStream(written, StandardCharsets.UTF_8);
        for (int i = 0; i < 7; i++) {
            out.println("12:00:00.000 WARN number " + i);
            out.println("12:00:00.000 INFO nothing to WARN of");
        }
        assertEquals(5, out.warnings().size());
        assertEquals("12:00:00.000 WARN number 2", out.warnings().getFirst());
    }

    @Test
    void shouldMakeObjectsOfLines() {
        PrintStream before = System.err;
        System.setErr(new PlainLineStream(written, StandardCharsets.UTF_8));
        try {
            PlainLineStream.asJsonOnStandardError();
            System.err.println("12:00:00.000 INFO SA 0xc1a2b3c4 added: \"a\"\n12:00:00.000 INFO b");
            System.err.println("12:00:00.000 WARN no SA 0xc1a2b3c4");
            System.err.println("\tat org.example");
        } finally {
            System.setErr(before);
        }
        List<JsonObject> lines = text().lines()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
        assertEquals(3, lines.size(), text());
        assertEquals("0xc1a2b3c4", lines.get(0).get("spi").getAsString());
        assertEquals(
                "SA 0xc1a2b3c4 added: \"a\"\\n12:00:00.000 INFO b",
                lines.get(0).get("message").getAsString());
        assertEquals("WARN", lines.get(1).get("level").getAsString());
        assertFalse(lines.get(1).has("spi"));
        assertEquals("ERROR", lines.get(2).get("level").getAsString());
    }

    @Test
    void shouldLeaveAloneWhatIsPlain() {
        String plain = "Straße /run/xfrm-bridge rfc4106(gcm(aes))\t§ 𝄞";
        assertEquals(plain, PlainLineStream.plain(plain));
        assertEquals(null, PlainLineStream.plain(null));
    }
}

package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
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
    void shouldLeaveAloneWhatIsPlain() {
        String plain = "Straße /run/xfrm-bridge rfc4106(gcm(aes))\t§ 𝄞";
        assertEquals(plain, PlainLineStream.plain(plain));
        assertEquals(null, PlainLineStream.plain(null));
    }
}

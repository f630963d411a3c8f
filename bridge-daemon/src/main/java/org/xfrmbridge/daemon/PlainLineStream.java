package org.xfrmbridge.daemon;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;

/**
 * A stream on which what is printed as a line is one: names, paths and messages that came from outside cannot begin
 * another, nor move a terminal's cursor or turn the direction of text. The log is written through this one. Any thread.
 */
public final class PlainLineStream extends PrintStream {
    public PlainLineStream(OutputStream out, Charset charset) {
        super(out, true, charset);
    }

    /** From now on System.err is such a stream. */
    public static void onStandardError() {
        System.setErr(new PlainLineStream(System.err, System.err.charset()));
    }

    @Override
    public void println(String line) {
        super.println(plain(line));
    }

    @Override
    public void println(Object line) {
        super.println(plain(String.valueOf(line)));
    }

    /** The text with what is not to be seen, but for tabs, as escape sequences of Java. */
    static String plain(String text) {
        if (text == null || text.codePoints().allMatch(PlainLineStream::isPlain)) {
            return text;
        }
        StringBuilder out = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(point -> {
            switch (point) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                default -> {
                    if (isPlain(point)) {
                        out.appendCodePoint(point);
                    } else {
                        out.append("\\u%04x".formatted(point));
                    }
                }
            }
        });
        return out.toString();
    }

    private static boolean isPlain(int point) {
        return point == '\t'
                || switch (Character.getType(point)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SURROGATE,
                            Character.UNASSIGNED,
                            Character.PRIVATE_USE -> false;
                    default -> true;
                };
    }
}

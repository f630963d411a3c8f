package org.xfrmbridge.daemon;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A stream on which what is printed as a line is one: names, paths and messages that came from outside cannot begin
 * another, nor move a terminal's cursor or turn the direction of text. The log is written through this one. Any thread.
 */
public final class PlainLineStream extends PrintStream {
    /** As the log begins lines: a time, the level. */
    private static final Pattern WARNING = Pattern.compile("^\\S+ (WARN|ERROR) ");

    private static final int MOST_WARNINGS = 5;

    /** A time, the level, the message. */
    private static final Pattern OF_LOG = Pattern.compile("^\\S+ (TRACE|DEBUG|INFO|WARN|ERROR) (.*)$");

    /** What EventLog writes of an SA begins so. */
    private static final Pattern OF_SA = Pattern.compile("^SA (0x[0-9a-f]{8}) ");

    private final Deque<String> warnings = new ArrayDeque<>();
    private volatile boolean json;

    public PlainLineStream(OutputStream out, Charset charset) {
        super(out, true, charset);
    }

    /** Made when the first line is an object, not at each start. */
    private static final class Json {
        static final Gson OBJECTS = new GsonBuilder().disableHtmlEscaping().create();
    }

    /** From now on System.err is such a stream. */
    public static void onStandardError() {
        System.setErr(new PlainLineStream(System.err, System.err.charset()));
    }

    /** From now on each line that System.err is given is a JSON object: time, level, message, and the SPI if any. */
    public static void asJsonOnStandardError() {
        if (System.err instanceof PlainLineStream lines) {
            lines.json = true;
        }
    }

    @Override
    public void println(String line) {
        String plain = plain(line);
        super.println(json && plain != null ? toJson(plain) : plain);
        keep(plain);
    }

    private static String toJson(String line) {
        Matcher log = OF_LOG.matcher(line);
        boolean isOfLog = log.matches();
        String message = isOfLog ? log.group(2) : line;
        JsonObject object = new JsonObject();
        object.addProperty("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        // What else comes here is what the log writes of an exception, or a sentence for who started the program.
        object.addProperty("level", isOfLog ? log.group(1) : "ERROR");
        object.addProperty("message", message);
        Matcher sa = OF_SA.matcher(message);
        if (sa.find()) {
            object.addProperty("spi", sa.group(1));
        }
        return Json.OBJECTS.toJson(object);
    }

    @Override
    public void println(Object line) {
        println(String.valueOf(line));
    }

    private void keep(String line) {
        if (line != null && WARNING.matcher(line).find()) {
            synchronized (warnings) {
                if (warnings.size() == MOST_WARNINGS) {
                    warnings.removeFirst();
                }
                warnings.add(line);
            }
        }
    }

    /** The last lines of the log that warn, the oldest first. */
    List<String> warnings() {
        synchronized (warnings) {
            return List.copyOf(warnings);
        }
    }

    /** The same of System.err; none if it is no such stream. */
    static List<String> warningsOnStandardError() {
        return System.err instanceof PlainLineStream lines ? lines.warnings() : List.of();
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

package org.xfrmbridge.daemon.top;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp.Capability;
import org.jline.utils.NonBlockingReader;
import org.xfrmbridge.daemon.figures.Figures;
import org.xfrmbridge.daemon.figures.FlowsReport;

/** A terminal that shows figures as long as somebody looks. One thread. */
public final class TopScreen {
    /** Where the figures come from. */
    public interface Source {
        Figures figures() throws IOException;

        FlowsReport flows() throws IOException;
    }

    private static final Logger JLINE_LOG = Logger.getLogger("org.jline");
    private static final int DEFAULT_ROWS = 24;
    private static final int DEFAULT_COLUMNS = 80;

    private final Source source;
    private final int seconds;
    private final TopView view = new TopView();

    /** @param seconds between two looks */
    public TopScreen(Source source, int seconds) {
        this.source = source;
        this.seconds = seconds;
    }

    /** Once, as text: what is counted within a second, too. */
    public static String once(Source source) throws IOException {
        Figures before = source.figures();
        source.flows();
        try {
            TimeUnit.SECONDS.sleep(1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return TopView.whole(before, source.figures(), source.flows());
    }

    /**
     * Until somebody ends it, or the bridge does not answer any more.
     *
     * @throws IOException if this is no terminal, or there is no answer
     */
    public void show() throws IOException {
        try (Terminal terminal = terminal()) {
            Thread here = Thread.currentThread();
            terminal.handle(Signal.INT, signal -> here.interrupt());
            Attributes before = terminal.enterRawMode();
            terminal.puts(Capability.enter_ca_mode);
            terminal.puts(Capability.cursor_invisible);
            try {
                look(terminal);
            } finally {
                terminal.puts(Capability.cursor_visible);
                terminal.puts(Capability.exit_ca_mode);
                terminal.setAttributes(before);
                terminal.flush();
            }
        }
    }

    /** By the JDK's own calls to native code: nothing is unpacked for that. */
    private static Terminal terminal() throws IOException {
        // Of a kind of terminal that it does not know it would write a stack trace.
        JLINE_LOG.setLevel(Level.OFF);
        Terminal terminal;
        try {
            terminal = TerminalBuilder.builder()
                    .system(true)
                    .provider("ffm")
                    .dumb(false)
                    .build();
        } catch (IOException | IllegalStateException e) {
            throw new IOException("this is no terminal: use --once", e);
        }
        if (terminal.getStringCapability(Capability.cursor_address) == null) {
            terminal.close();
            throw new IOException("this terminal cannot be written over: use --once");
        }
        return terminal;
    }

    private void look(Terminal terminal) throws IOException {
        Display display = new Display(terminal, true);
        Figures before = source.figures();
        Figures now = before;
        FlowsReport flows = source.flows();
        long nextNs = System.nanoTime();
        while (!view.isEnded() && !Thread.interrupted()) {
            if (System.nanoTime() - nextNs >= 0) {
                before = now;
                now = source.figures();
                flows = source.flows();
                nextNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
            }
            draw(terminal, display, new TopView.Look(before, now, flows));
            long waitMs = Math.max(1, TimeUnit.NANOSECONDS.toMillis(nextNs - System.nanoTime()));
            int key = terminal.reader().read(waitMs);
            if (key == NonBlockingReader.EOF) {
                return;
            }
            view.press(key);
        }
    }

    private void draw(Terminal terminal, Display display, TopView.Look look) {
        int rows = terminal.getHeight() > 0 ? terminal.getHeight() : DEFAULT_ROWS;
        int columns = terminal.getWidth() > 0 ? terminal.getWidth() : DEFAULT_COLUMNS;
        display.resize(rows, columns);
        List<String> lines = view.lines(look, rows);
        display.update(lines.stream().map(line -> styled(line, columns)).toList(), 0);
    }

    /** Headings and keys stand out. */
    private static AttributedString styled(String line, int columns) {
        boolean isHeading = line.startsWith("DIR ")
                || line.startsWith("INDEX ")
                || line.startsWith("REASON ")
                || line.equals(TopView.KEYS);
        AttributedStyle style = isHeading ? AttributedStyle.INVERSE : AttributedStyle.DEFAULT;
        String fitting = line.length() > columns ? line.substring(0, columns) : line;
        return new AttributedStringBuilder()
                .append(isHeading ? fitting + " ".repeat(columns - fitting.length()) : fitting, style)
                .toAttributedString();
    }
}

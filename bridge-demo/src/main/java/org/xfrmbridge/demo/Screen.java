package org.xfrmbridge.demo;

import java.io.Console;
import java.io.PrintStream;

/** What a person sees of the demo: numbered steps, and under each what was found. One thread. */
final class Screen {
    private static final String BOLD = "1";
    private static final String GREEN = "32";
    private static final String DIM = "2";
    private static final String INDENT = "     ";

    private final PrintStream out;
    private final boolean coloured;
    private int steps;

    Screen(PrintStream out, boolean coloured) {
        this.out = out;
        this.coloured = coloured;
    }

    /** Standard output, in colours if somebody is looking (and has not said otherwise: no-color.org). */
    static Screen standard() {
        Console console = System.console();
        boolean wanted = System.getenv("NO_COLOR") == null && !"dumb".equals(System.getenv("TERM"));
        return new Screen(System.out, wanted && console != null && console.isTerminal());
    }

    void title(String text) {
        out.println(in(BOLD, text));
    }

    /** Begins a step. */
    void step(String text) {
        steps++;
        out.println();
        out.println(in(BOLD, "%2d.  %s".formatted(steps, text)));
    }

    /** A fact, with its name in front. */
    void fact(String name, String text) {
        out.println(INDENT + "%-16s %s".formatted(name, text));
    }

    /** A command line, as one would type it. */
    void typed(String text) {
        out.println(INDENT + in(DIM, "# " + text));
    }

    /** What a program printed. */
    void quote(String text) {
        text.stripTrailing().lines().forEach(line -> out.println(INDENT + line.replace("\t", "    ")));
    }

    /** Something that was to be shown, and held. */
    void held(String text) {
        out.println(INDENT + in(GREEN, "ok") + "  " + text);
    }

    /** The last line. */
    void end(String text) {
        out.println();
        out.println(in(BOLD, text));
    }

    private String in(String colour, String text) {
        return coloured ? "\033[" + colour + "m" + text + "\033[0m" : text;
    }
}

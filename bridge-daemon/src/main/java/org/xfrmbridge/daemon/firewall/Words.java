package org.xfrmbridge.daemon.firewall;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** The words of a command, as a shell and iptables-save quote them. */
final class Words {
    private Words() {}

    /** Splits what iptables-save prints: double quotes, in which a backslash takes the next character as it is. */
    static List<String> split(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = null;
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == ' ' && !quoted) {
                if (word != null) {
                    words.add(word.toString());
                }
                word = null;
                continue;
            }
            word = word == null ? new StringBuilder() : word;
            if (c == '"') {
                quoted = !quoted;
            } else {
                word.append(c == '\\' && quoted && i + 1 < line.length() ? line.charAt(++i) : c);
            }
        }
        if (word != null) {
            words.add(word.toString());
        }
        return words;
    }

    /** One line for a POSIX shell. */
    static String join(List<String> words) {
        return words.stream().map(Words::quote).collect(Collectors.joining(" "));
    }

    static String quote(String word) {
        return word.matches("[A-Za-z0-9_@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}

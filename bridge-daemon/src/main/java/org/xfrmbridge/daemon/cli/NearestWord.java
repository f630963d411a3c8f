package org.xfrmbridge.daemon.cli;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** What somebody may have meant who wrote a word that is not known. */
final class NearestWord {
    private static final int MOST_EDITS = 3;

    private NearestWord() {}

    /** Empty if none is near. */
    static Optional<String> of(String word, Collection<String> known) {
        return known.stream()
                .filter(other -> edits(word, other) <= Math.min(MOST_EDITS, (other.length() + 1) / 2))
                .min(Comparator.<String>comparingInt(other -> edits(word, other))
                        .thenComparing(Comparator.naturalOrder()));
    }

    /** How many letters are to be put in, left out or changed. */
    private static int edits(String from, String to) {
        int[] above = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            above[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            int[] row = new int[to.length() + 1];
            row[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int changed = above[j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(changed, 1 + Math.min(above[j], row[j - 1]));
            }
            above = row;
        }
        return above[to.length()];
    }
}

package org.xfrmbridge.daemon.figures;

import java.util.ArrayList;
import java.util.List;

/** Columns of text under their headings, numbers to the right. */
public final class Table {
    private static final String GAP = "  ";

    private final List<List<String>> rows = new ArrayList<>();

    public Table(String... headings) {
        rows.add(List.of(headings));
    }

    /** @param cells as many as there are headings; what is a number stands to the right */
    public void add(Object... cells) {
        List<String> row = new ArrayList<>();
        for (Object cell : cells) {
            row.add(String.valueOf(cell));
        }
        rows.add(row);
    }

    /** The headings and each row, without line ends. */
    public List<String> lines() {
        int[] widths = new int[rows.getFirst().size()];
        boolean[] right = new boolean[widths.length];
        for (int column = 0; column < widths.length; column++) {
            right[column] = rows.size() > 1;
            for (List<String> row : rows) {
                widths[column] = Math.max(widths[column], row.get(column).length());
            }
            for (List<String> row : rows.subList(1, rows.size())) {
                right[column] &= row.get(column).matches("\\d+(\\.\\d)?[kMGT%]?");
            }
        }
        List<String> lines = new ArrayList<>();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < widths.length; column++) {
                String pad = " ".repeat(widths[column] - row.get(column).length());
                line.append(column == 0 ? "" : GAP)
                        .append(right[column] ? pad + row.get(column) : row.get(column) + pad);
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    @Override
    public String toString() {
        return String.join("\n", lines()) + '\n';
    }
}

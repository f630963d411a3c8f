package org.xfrmbridge.bench;

import java.util.Arrays;

/**
 * A median of values, and two of them between which the true one lies in at least 95 of a hundred cases. By order
 * alone: each value is above the true median as often as a coin shows heads, however they are spread.
 *
 * @param low -Infinity, and {@code high} Infinity, of fewer than six values
 */
record Median(double value, double low, double high) {
    private static final double MOST_DOUBT = 0.05;

    /** @param values independent of each other, at least one */
    static Median of(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int n = sorted.length;
        double median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
        int outside = outside(n);
        return outside == 0
                ? new Median(median, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY)
                : new Median(median, sorted[outside - 1], sorted[n - outside]);
    }

    /** How many of the least, and of the greatest, may be left aside, the next inner ones being the limits. */
    private static int outside(int n) {
        double chance = Math.pow(0.5, n);
        double below = 0;
        int k = 0;
        while (k < n) {
            below += chance;
            if (2 * below > MOST_DOUBT) {
                return k;
            }
            chance = chance * (n - k) / (k + 1);
            k++;
        }
        return k;
    }
}

package org.xfrmbridge.db;

/** Copies of arrays with a gap opened or closed. */
final class ArrayCopies {
    private ArrayCopies() {}

    /** Copies an array into one that is longer by one, leaving out {@code index} there. */
    static <A> A open(A array, int length, A longer, int index) {
        System.arraycopy(array, 0, longer, 0, index);
        System.arraycopy(array, index, longer, index + 1, length - index);
        return longer;
    }

    /** Copies an array into one that is shorter by one, leaving out {@code index} here. */
    static <A> A close(A array, int length, A shorter, int index) {
        System.arraycopy(array, 0, shorter, 0, index);
        System.arraycopy(array, index + 1, shorter, index, length - index - 1);
        return shorter;
    }
}

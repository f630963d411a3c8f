package org.xfrmbridge.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;

/**
 * Something real beside a naive model of it. An operation is done to both, and they are compared; a difference is an
 * AssertionError.
 */
public abstract class Model {
    /**
     * Where every choice of an operation comes from: the same in every run of a sequence, and whatever was left out
     * before it.
     */
    protected final Random random = new Random();

    private List<String> trace;

    /** @param index the operation's place in the sequence as it was made */
    protected abstract void operate(int index);

    /** After the last operation. */
    protected void finish() {}

    /** What an operation is, for who has to read a sequence that fails. */
    protected final void say(Supplier<String> text) {
        if (trace != null) {
            trace.add(text.get());
        }
    }

    final void run(Operation operation) {
        random.setSeed(operation.ticket());
        operate(operation.index());
    }

    final List<String> startTrace() {
        trace = new ArrayList<>();
        return trace;
    }

    /** @param ticket the seed of its choices */
    record Operation(int index, long ticket) {}
}

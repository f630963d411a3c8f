package org.xfrmbridge.it.conformance;

import java.util.Arrays;
import java.util.Collections;
import org.xfrmbridge.pfkey.sadb.SadbExt;

/** Makes one thing of a PF_KEY message wrong, odd or merely unusual. */
final class PfkeySpoiler {
    private static final SadbExt[] ALL = SadbExt.values();

    private final Dice dice;
    private final PfkeyRequestMaker maker;

    PfkeySpoiler(Dice dice, PfkeyRequestMaker maker) {
        this.dice = dice;
        this.maker = maker;
    }

    void spoil(PfkeyDraft draft) {
        switch (dice.below(16)) {
            case 0, 1 -> drop(draft);
            case 2, 3, 4, 5 -> add(draft);
            case 6 -> repeat(draft);
            case 7 -> reorder(draft);
            case 8, 9 -> resize(draft);
            case 10 -> misstate(draft);
            case 11, 12 -> edge(draft);
            case 13 -> draft.tail = dice.bytes(dice.pick(1, 2, 3, 4, 7, 8, 16));
            case 14 -> header(draft);
            default -> unknown(draft);
        }
    }

    private void drop(PfkeyDraft draft) {
        if (!draft.extensions.isEmpty()) {
            draft.extensions.remove(dice.below(draft.extensions.size()));
        }
    }

    /** One that may mean nothing here, or be there already. */
    private void add(PfkeyDraft draft) {
        SadbExt extension = dice.choose(ALL);
        int at = dice.below(draft.extensions.size() + 1);
        draft.extensions.add(at, new PfkeyDraft.Extension(extension.number(), maker.body(extension), 0));
    }

    private void repeat(PfkeyDraft draft) {
        if (draft.extensions.isEmpty()) {
            add(draft);
        }
        draft.extensions.add(dice.choose(draft.extensions));
    }

    private void reorder(PfkeyDraft draft) {
        Collections.rotate(draft.extensions, 1 + dice.below(3));
    }

    /** Shorter or longer by whole words, and saying so. */
    private void resize(PfkeyDraft draft) {
        if (draft.extensions.isEmpty()) {
            add(draft);
        }
        int at = dice.below(draft.extensions.size());
        PfkeyDraft.Extension old = draft.extensions.get(at);
        int length = Math.max(0, old.body().length + dice.pick(-64, -16, -8, -8, 8, 8, 24, 64, 200));
        draft.extensions.set(at, new PfkeyDraft.Extension(old.number(), Arrays.copyOf(old.body(), length), 0));
    }

    /** A length that is not the extension's. */
    private void misstate(PfkeyDraft draft) {
        if (draft.extensions.isEmpty()) {
            add(draft);
        }
        int at = dice.below(draft.extensions.size());
        PfkeyDraft.Extension old = draft.extensions.get(at);
        draft.extensions.set(
                at, new PfkeyDraft.Extension(old.number(), old.body(), dice.pick(-100, -2, -1, 1, 2, 100, 0x7fff)));
    }

    private void edge(PfkeyDraft draft) {
        if (draft.extensions.isEmpty()) {
            add(draft);
        }
        byte[] body = dice.choose(draft.extensions).body();
        if (body.length > 0) {
            byte[] value = maker.edge();
            int at = dice.below(body.length);
            System.arraycopy(
                    value, 0, body, at, Math.min(dice.pick(1, 1, 2, 4), Math.min(value.length, body.length - at)));
        }
    }

    private void header(PfkeyDraft draft) {
        switch (dice.below(7)) {
            case 0 -> draft.version = dice.pick(0, 1, 3, 255);
            case 1 -> draft.type = dice.pick(0, 25, 26, 128, 255);
            case 2 -> draft.errno = dice.pick(1, 22, 255);
            case 3 -> draft.satype = dice.edge() & 0xff;
            case 4 -> draft.reserved = dice.pick(1, 0xffff);
            case 5 -> draft.extraWords = dice.pick(-3, -2, -1, 1, 2, 0x7fff);
            default -> draft.sequence = dice.edge();
        }
    }

    private void unknown(PfkeyDraft draft) {
        draft.extensions.add(
                new PfkeyDraft.Extension(dice.pick(0, 27, 28, 100, 0xffff), dice.bytes(dice.pick(4, 12)), 0));
    }
}

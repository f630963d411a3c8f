package org.xfrmbridge.db;

import java.util.Arrays;
import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicyName;

/**
 * Many policies of the same addresses, told apart by ports, protocol, mark, interface and interface id: tuple-space
 * search. Those that look at the same bits share a {@link HashTrie}; the tables are asked in the order of their best
 * policies.
 */
final class TupleSpace implements PolicySet {
    private final Table[] tables;

    private TupleSpace(Table[] tables) {
        this.tables = tables;
    }

    static TupleSpace of(PolicyArray few) {
        TupleSpace space = new TupleSpace(new Table[0]);
        for (int i = 0; i < few.size(); i++) {
            space = space.with(few.at(i));
        }
        return space;
    }

    TupleSpace with(SpdEntry entry) {
        Table table = tableOf(entry);
        FieldMask mask = table == null ? FieldMask.of(entry) : table.mask;
        PolicyNode root = table == null ? entry : HashTrie.add(table.root, entry, mask::hash, 0);
        return replace(table, new Table(mask, root));
    }

    /** The rest, null if there is none. */
    PolicySet without(SpdEntry entry) {
        Table table = tableOf(entry);
        PolicyNode root = HashTrie.remove(table.root, entry, table.mask::hash, 0);
        TupleSpace rest = replace(table, root == null ? null : new Table(table.mask, root));
        return rest.tables.length == 0 ? null : rest;
    }

    private Table tableOf(SpdEntry entry) {
        for (Table table : tables) {
            if (table.mask.fits(entry)) {
                return table;
            }
        }
        return null;
    }

    /** Either may be null. */
    private TupleSpace replace(Table old, Table fresh) {
        Table[] changed = new Table[tables.length + 1];
        int count = 0;
        for (Table table : tables) {
            if (table != old) {
                if (fresh != null && fresh.bestRank <= table.bestRank) {
                    changed[count++] = fresh;
                    fresh = null;
                }
                changed[count++] = table;
            }
        }
        if (fresh != null) {
            changed[count++] = fresh;
        }
        return new TupleSpace(Arrays.copyOf(changed, count));
    }

    @Override
    public long bestRank() {
        return tables[0].bestRank;
    }

    @Override
    public SpdEntry better(Flow flow, int lists, SpdEntry best) {
        SpdEntry found = best;
        for (Table table : tables) {
            if (table.bestRank > found.rank) {
                return found;
            }
            if ((table.mask.list() & lists) != 0) {
                found = better(table, table.mask.hash(flow), flow, lists, found);
                if (table.mask.hasTwo(flow)) {
                    found = better(table, table.mask.hashLower(flow), flow, lists, found);
                }
            }
        }
        return found;
    }

    private static SpdEntry better(Table table, int hash, Flow flow, int lists, SpdEntry best) {
        PolicySet alike = HashTrie.get(table.root, hash);
        return alike == null ? best : alike.better(flow, lists, best);
    }

    @Override
    public SpdEntry named(PolicyName name, SpdEntry probe) {
        Table table = tableOf(probe);
        PolicySet alike = table == null ? null : HashTrie.get(table.root, table.mask.hash(probe));
        return alike == null ? null : alike.named(name, probe);
    }

    @Override
    public SpdEntry sample() {
        return tables[0].root.sample();
    }

    @Override
    public void forEach(Consumer<SpdEntry> action) {
        for (Table table : tables) {
            table.root.forEach(action);
        }
    }

    private record Table(FieldMask mask, PolicyNode root, long bestRank) {
        Table(FieldMask mask, PolicyNode root) {
            this(mask, root, root.bestRank());
        }
    }
}

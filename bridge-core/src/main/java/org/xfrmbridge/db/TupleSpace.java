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

    static TupleSpace of(PolicyArray bag) {
        TupleSpace shaped = new TupleSpace(new Table[0]);
        for (int i = 0; i < bag.size(); i++) {
            shaped = shaped.with(bag.at(i));
        }
        return shaped;
    }

    TupleSpace with(SpdEntry entry) {
        Table table = tableOf(entry);
        FieldMask shape = table == null ? FieldMask.of(entry) : table.shape;
        PolicyNode root = table == null ? entry : HashTrie.add(table.root, entry, shape::hash, 0);
        return replace(table, new Table(shape, root));
    }

    /** The rest, null if there is none. */
    PolicySet without(SpdEntry entry) {
        Table table = tableOf(entry);
        PolicyNode root = HashTrie.remove(table.root, entry, table.shape::hash, 0);
        TupleSpace rest = replace(table, root == null ? null : new Table(table.shape, root));
        return rest.tables.length == 0 ? null : rest;
    }

    private Table tableOf(SpdEntry entry) {
        for (Table table : tables) {
            if (table.shape.fits(entry)) {
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
    public SpdEntry better(Flow flow, int lanes, SpdEntry best) {
        SpdEntry found = best;
        for (Table table : tables) {
            if (table.bestRank > found.rank) {
                return found;
            }
            if ((table.shape.lane() & lanes) != 0) {
                found = better(table, table.shape.hash(flow), flow, lanes, found);
                if (table.shape.hasTwo(flow)) {
                    found = better(table, table.shape.hashAttached(flow), flow, lanes, found);
                }
            }
        }
        return found;
    }

    private static SpdEntry better(Table table, int hash, Flow flow, int lanes, SpdEntry best) {
        PolicySet alike = HashTrie.get(table.root, hash);
        return alike == null ? best : alike.better(flow, lanes, best);
    }

    @Override
    public SpdEntry named(PolicyName name, SpdEntry probe) {
        Table table = tableOf(probe);
        PolicySet alike = table == null ? null : HashTrie.get(table.root, table.shape.hash(probe));
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

    private record Table(FieldMask shape, PolicyNode root, long bestRank) {
        Table(FieldMask shape, PolicyNode root) {
            this(shape, root, root.bestRank());
        }
    }
}

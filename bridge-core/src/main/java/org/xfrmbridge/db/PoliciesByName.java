package org.xfrmbridge.db;

import java.util.function.Consumer;
import org.xfrmbridge.xfrm.Flow;
import org.xfrmbridge.xfrm.PolicyName;

/**
 * Many policies that match the same flows, and which only their names tell apart: bits behind a prefix or beside a
 * mask, a security context. The best is at hand for flows, any other by its name for clients.
 */
final class PoliciesByName implements PolicySet {
    private final HashTrie root;

    private PoliciesByName(HashTrie root) {
        this.root = root;
    }

    /** Whether the hash of its name tells an entry from any that are in an array. */
    static boolean tellsApart(PolicyArray few, SpdEntry entry) {
        for (int i = 0; i < few.size(); i++) {
            if (few.at(i).nameHash() != entry.nameHash()) {
                return true;
            }
        }
        return false;
    }

    static PolicySet of(PolicyArray few, SpdEntry entry) {
        PolicyNode all = entry;
        for (int i = 0; i < few.size(); i++) {
            all = HashTrie.add(all, few.at(i), SpdEntry::nameHash, 0);
        }
        return setOf(all);
    }

    PolicySet with(SpdEntry entry) {
        return setOf(HashTrie.add(root, entry, SpdEntry::nameHash, 0));
    }

    PolicySet without(SpdEntry entry) {
        return setOf(HashTrie.remove(root, entry, SpdEntry::nameHash, 0));
    }

    private static PolicySet setOf(PolicyNode all) {
        return all instanceof HashTrie trie ? new PoliciesByName(trie) : (PolicySet) all;
    }

    @Override
    public long bestRank() {
        return root.bestRank();
    }

    @Override
    public SpdEntry better(Flow flow, int lists, SpdEntry best) {
        return root.better(flow, lists, best);
    }

    @Override
    public SpdEntry named(PolicyName name, SpdEntry probe) {
        PolicySet alike = HashTrie.get(root, SpdEntry.nameHash(name));
        return alike == null ? null : alike.named(name, probe);
    }

    @Override
    public SpdEntry sample() {
        return root.sample();
    }

    @Override
    public void forEach(Consumer<SpdEntry> action) {
        root.forEach(action);
    }
}

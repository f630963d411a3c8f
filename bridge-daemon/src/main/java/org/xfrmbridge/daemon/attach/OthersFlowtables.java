package org.xfrmbridge.daemon.attach;

import java.util.Collection;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xfrmbridge.daemon.nft.CarriedFlows;
import org.xfrmbridge.daemon.nft.OthersChains.Flowtables;
import org.xfrmbridge.daemon.os.OsException;
import org.xfrmbridge.daemon.route.Links;
import org.xfrmbridge.daemon.selection.Element;
import org.xfrmbridge.daemon.selection.SelectionChange;
import org.xfrmbridge.daemon.selection.WideScope;

/**
 * Flowtables of others, which carry connections past all chains: what has come to be selected is taken out of them.
 * Control thread.
 */
final class OthersFlowtables implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OthersFlowtables.class);

    private final StackRoutes routes;
    private final Links links;
    private final CarriedFlows carried;
    private Flowtables there = Flowtables.NONE;

    OthersFlowtables(StackRoutes routes, Links links) throws OsException {
        this.routes = routes;
        this.links = links;
        carried = CarriedFlows.open();
    }

    /**
     * Which there are now.
     *
     * @param tap what the warning of those names
     * @param selected all that is selected now
     */
    void note(Flowtables now, String tap, Supplier<SelectionChange> selected) {
        Flowtables before = there;
        there = now;
        if (now == before) {
            return;
        }
        if (before == Flowtables.NONE) {
            LOG.warn(
                    "somebody's flowtable forwards packets past all rules: flows that policies are for stand still in "
                            + "it, unless its rules leave out what leaves or comes by {}; see \"xfrm-bridge firewall\"",
                    tap);
        }
        SelectionChange all = selected.get();
        end(all.added(), all.wide());
    }

    /** None carries any longer what has come to be selected. The rules have it already, whatever becomes of this. */
    void end(Collection<Element> elements, Collection<WideScope> wide) {
        if (there == Flowtables.NONE) {
            return;
        }
        try {
            routes.endFlows();
            if (there == Flowtables.CARDS || haveBridges()) {
                endConnections(elements, wide);
            }
        } catch (OsException e) {
            LOG.error(
                    "what a flowtable carries could not be taken out of it, and may pass in the clear: {}",
                    e.getMessage());
        }
    }

    /** A flow from port to port of bridges of Linux, or within a card, asks for no route. */
    private void endConnections(Collection<Element> elements, Collection<WideScope> wide) throws OsException {
        int ended = carried.end(elements, wide);
        if (ended > 0) {
            LOG.info("{} connections that a flowtable carried were ended, as they are to come here", ended);
        }
    }

    private boolean haveBridges() throws OsException {
        return links.all().stream().anyMatch(link -> "bridge".equals(link.kind()));
    }

    @Override
    public void close() {
        carried.close();
    }
}

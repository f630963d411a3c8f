package org.xfrmbridge.daemon.top;

import java.util.Comparator;
import java.util.function.Function;
import org.xfrmbridge.daemon.figures.Figures;
import org.xfrmbridge.daemon.figures.Rates;

/** In which order SAs are shown. */
enum SaOrder {
    TRAFFIC("bits a second", rates -> Comparator.comparingDouble(rates::bytes).reversed()),
    BYTES("bytes", rates -> Comparator.comparingLong(Figures.Sa::bytes).reversed()),
    PACKETS("packets", rates -> Comparator.comparingLong(Figures.Sa::packets).reversed()),
    LEFT(
            "what is left",
            rates -> Comparator.comparingLong(sa ->
                    sa.left().seconds() == null ? Long.MAX_VALUE : sa.left().seconds())),
    AGE("age", rates -> Comparator.comparingLong(Figures.Sa::addedSeconds)),
    USED(
            "last use",
            rates -> Comparator.comparingLong(Figures.Sa::lastUseSeconds).reversed()),
    PEER("destination", rates -> Comparator.comparing(Figures.Sa::destination).thenComparing(Figures.Sa::spi)),
    REQID("reqid", rates -> Comparator.comparingLong(Figures.Sa::reqid));

    private final String label;
    private final Function<Rates, Comparator<Figures.Sa>> comparator;

    SaOrder(String label, Function<Rates, Comparator<Figures.Sa>> comparator) {
        this.label = label;
        this.comparator = comparator;
    }

    String label() {
        return label;
    }

    Comparator<Figures.Sa> comparator(Rates rates) {
        return comparator.apply(rates);
    }

    SaOrder next() {
        return values()[(ordinal() + 1) % values().length];
    }
}

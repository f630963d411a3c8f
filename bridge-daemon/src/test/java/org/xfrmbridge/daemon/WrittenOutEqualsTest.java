package org.xfrmbridge.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xfrmbridge.daemon.nft.OthersChains.Flowtables;
import org.xfrmbridge.daemon.nft.OthersChains.Others;
import org.xfrmbridge.xfrm.Address;
import org.xfrmbridge.xfrm.Direction;
import org.xfrmbridge.xfrm.Mode;
import org.xfrmbridge.xfrm.StateId;

/** Records whose equals is written out, so that none is made at each start: all components must count in it. */
class WrittenOutEqualsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "xfrm.Address",
                "xfrm.Lifetime",
                "xfrm.Mark",
                "xfrm.StateId",
                "xfrm.Template",
                "db.FieldMatch",
                "daemon.attach.StackShortcuts$Hop",
                "daemon.nft.CoveredDevice",
                "daemon.nft.OthersChains$Others",
                "daemon.nft.Hooks",
                "daemon.selection.Level",
                "daemon.selection.WideScope"
            })
    void shouldDifferInEachComponent(String name) throws ReflectiveOperationException {
        Class<?> type = Class.forName("org.xfrmbridge." + name);
        RecordComponent[] components = type.getRecordComponents();
        Constructor<?> constructor = type.getDeclaredConstructor(
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
        constructor.setAccessible(true);
        Object[] values = values(components, false);
        Object record = constructor.newInstance(values);
        Object same = constructor.newInstance(values(components, false));
        assertEquals(record, same);
        assertEquals(record.hashCode(), same.hashCode());
        Object[] others = values(components, true);
        for (int i = 0; i < components.length; i++) {
            Object[] differing = values.clone();
            differing[i] = others[i];
            assertNotEquals(record, constructor.newInstance(differing), components[i].getName());
        }
    }

    /** One for each component, all different; or others. */
    private static Object[] values(RecordComponent[] components, boolean others) {
        Object[] values = new Object[components.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = value(components[i].getType(), others ? 100 + i : i, others);
        }
        return values;
    }

    private static Object value(Class<?> type, int number, boolean other) {
        return switch (type.getSimpleName()) {
            case "long" -> (long) number;
            case "int" -> number;
            case "boolean" -> other;
            case "String" -> "name" + number;
            case "Address" -> new Address(0, number);
            case "StateId" -> new StateId(new Address(0, number), number, number);
            case "Mode" -> other ? Mode.TUNNEL : Mode.TRANSPORT;
            case "Direction" -> other ? Direction.IN : Direction.OUT;
            case "Set" -> other ? Set.of(Direction.OUT) : Set.of();
            case "OptionalInt" -> other ? OptionalInt.of(number) : OptionalInt.empty();
            case "Flowtables" -> other ? Flowtables.CARDS : Flowtables.NONE;
            case "Others" -> other ? new Others(true, false, OptionalInt.empty(), Flowtables.NONE) : Others.NONE;
            default -> throw new IllegalArgumentException(type.getName());
        };
    }
}

package org.xfrmbridge.esp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class KeyMaterialTest {
    private final KeyMaterial key = KeyMaterial.copyOf(new byte[] {1, 2, 3});

    @Test
    void shouldGiveCopiesOnly() {
        key.copy()[0] = 99;
        assertArrayEquals(new byte[] {1, 2, 3}, key.copy());
        assertArrayEquals(new byte[] {3}, key.copy(2, 3));
    }

    @Test
    void shouldGiveNothingWhenWiped() {
        key.wipe();
        key.wipe();
        assertArrayEquals(new byte[3], key.bytesOrZeros());
        assertEquals(3, key.lengthBytes());
        assertThrows(KeyMaterial.WipedException.class, key::copy);
    }

    @Test
    void shouldBeEqualWhenTheBytesAreAndNoneIsWiped() {
        KeyMaterial same = KeyMaterial.copyOf(new byte[] {1, 2, 3});
        assertEquals(key, same);
        assertNotEquals(key, KeyMaterial.copyOf(new byte[] {1, 2, 4}));
        same.wipe();
        assertNotEquals(key, same);
    }

    @Test
    void shouldNotShowTheKeyWhenPrinted() {
        assertEquals("KeyMaterial[24 bits]", key.toString());
        assertFalse(new WipeableKey("AES", new byte[] {7, 7}).toString().contains("7"));
    }
}

/** libreswan's pluto, with its own commands, against charon. */
package org.xfrmbridge.it.libreswan;

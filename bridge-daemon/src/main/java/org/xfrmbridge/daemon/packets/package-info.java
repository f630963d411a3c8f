/** What became of packets, for people and programs who ask: {@code why}, {@code drops}. */
package org.xfrmbridge.daemon.packets;

/**
 * What a host's firewall asks of a kernel's IPsec, and how the same is said of a bridge's: reads the rules that are
 * active, changes nothing.
 */
package org.xfrmbridge.daemon.firewall;

/** A bridge in the stack of a gateway that has a firewall: the programs that make rules, and what passes them. */
package org.xfrmbridge.it.firewalls;

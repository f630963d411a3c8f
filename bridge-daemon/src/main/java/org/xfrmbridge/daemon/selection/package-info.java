/**
 * Which of the host's packets the datapath is to see: the policies of the database turned into sets of masked
 * addresses, protocols, ports and marks, which are always a superset of what the policies protect or block.
 */
package org.xfrmbridge.daemon.selection;

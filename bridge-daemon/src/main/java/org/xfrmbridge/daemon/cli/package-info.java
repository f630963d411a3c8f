/** The command line: a class for each command. */
package org.xfrmbridge.daemon.cli;

/** People who have just got it: what goes wrong first, and what they are told. */
package org.xfrmbridge.it.firstcontact;

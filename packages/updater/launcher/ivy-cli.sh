#!/bin/sh
LAUNCHER=1
